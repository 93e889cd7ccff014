#pragma once

#include <functional>
#include <span>
#include <vector>

#include "serve/engine/session.h"
#include "serve/sampling/sampler.h"

namespace minke {

struct GenerationOptions {
  SamplingOptions sampling;
  int64_t max_tokens = 0;         // 0: until a stop token or a full context
  int64_t min_tokens = 0;         // no stop token is drawn before so many
  bool ignore_stop = false;       // stop tokens are drawn like others and end nothing
  std::vector<int32_t> stop_ids;  // end the generation and are not given to the caller
  std::vector<bool> allowed;      // see Sampler
};

enum class FinishReason { kStop, kLength, kCancelled };

struct GenerationResult {
  FinishReason reason = FinishReason::kStop;
  int64_t prompt_tokens = 0;
  int64_t reused_tokens = 0;     // of the prompt, already in the cache
  int64_t generated_tokens = 0;  // without the stop token
  double prefill_seconds = 0;
  double decode_seconds = 0;
};

// Continues `prompt` token by token. on_token(id) is called for each one; when it returns false the
// generation ends as cancelled; it is also asked, with id -1, between the chunks of a long prompt.
// Tokens already in the session that `prompt` begins with are not computed again; those that were
// generated before are, so that the result is the same as without them. Throws Error for an empty
// prompt or one that leaves no room in the context.
class Generator {
 public:
  explicit Generator(Session& session) : session_(session) {}
  GenerationResult generate(std::span<const int32_t> prompt, const GenerationOptions& options,
                            const std::function<bool(int32_t)>& on_token);

 private:
  // Drops what the session holds beyond the common prefix with `prompt`; returns the prefix's
  // length.
  int64_t reuse_prefix(std::span<const int32_t> prompt);

  Session& session_;
  std::vector<int32_t> prompt_in_cache_;  // the session's tokens that were computed as a prompt
};

}  // namespace minke
