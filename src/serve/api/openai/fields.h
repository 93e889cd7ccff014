#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "serve/api/openai/wire.h"
#include "serve/api/request_reader.h"
#include "serve/sampling/sampler.h"

namespace minke {

// Fields that chat and completion requests have in common. All throw ApiFailure.

inline constexpr int kMostChoices = 8;

// temperature, top_p, top_k, min_p, penalties, logit_bias, seed.
SamplingOptions read_sampling(JsonObject& request, const OpenAiOptions& options);

// "stop": a string, or up to 16 of them, of 1 to 256 bytes each.
std::vector<std::string> read_stops(JsonObject& request);

// "n": 1 to kMostChoices.
int read_choices(JsonObject& request);

struct StreamFields {
  bool stream = false;
  bool include_usage = false;
};
StreamFields read_stream(JsonObject& request, IgnoredFields& ignored);

// Throws 404 for a name that the model does not go by, if others are not answered.
void check_model(std::string_view name, std::string_view model_name, const OpenAiOptions& options);

// "model", "" if it is absent; see check_model().
std::string read_model(JsonObject& request, std::string_view model_name,
                       const OpenAiOptions& options);

// Whose prefixes the request may share: the caller's, and among them those of the user that it
// names by user_id, safety_identifier or user, and of cache_salt.
std::string read_owner(JsonObject& request, std::string_view caller);

struct LengthFields {
  int64_t min_tokens = 0;
  bool ignore_stop = false;
};
// "min_tokens" and "ignore_eos".
LengthFields read_lengths(JsonObject& request);

// Reads an integer that is a count of tokens; `fallback` if it is absent.
int64_t read_count(JsonObject& request, std::string_view name, int64_t least, int64_t fallback);

}  // namespace minke
