#pragma once

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>

#include "serve/api/request_reader.h"
#include "serve/api/turn.h"

namespace minke {

// Fields that the formats of /v1/responses and /v1/messages have in common. All throw ApiFailure.

// Most of what a request may have of each; its body is bounded besides.
constexpr size_t kMostMessages = 100'000;
constexpr size_t kMostParts = 10'000;  // of one message
constexpr size_t kMostTools = 512;
constexpr size_t kMostStops = 16;
constexpr size_t kMostUserBytes = 512;
constexpr size_t kMostNameBytes = 128;  // of a function

// A text, or a list of objects {"type": one of `types`, "text": text}, joined by newlines.
std::string read_texts(const JsonField& content, std::initializer_list<std::string_view> types);

// {"name", "description", "strict"} and a schema in `schema_key`, added to `turn`. Without a schema
// the function takes no arguments.
void read_function(const JsonField& tool, std::string_view schema_key, TurnRequest& turn);

// "temperature" (0 to 2, else 1), "top_p" (0 to 1, else 1) and "seed" of `request`; false if it has
// no seed.
bool read_sampling(JsonObject& request, SamplingOptions& sampling);

// Makes `turn` call the function that `name` names.
void choose_function(const JsonField& name, TurnRequest& turn);

}  // namespace minke
