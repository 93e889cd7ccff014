#include "serve/engine/generate.h"

#include <algorithm>
#include <chrono>

#include "base/core/error.h"

namespace minke {
namespace {

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

int64_t Generator::reuse_prefix(std::span<const int32_t> prompt) {
  const auto [mine, theirs] =
      std::mismatch(prompt_in_cache_.begin(), prompt_in_cache_.end(), prompt.begin(), prompt.end());
  auto common = static_cast<int64_t>(mine - prompt_in_cache_.begin());
  // The last token is always computed: its logits are wanted.
  common = std::min({common, static_cast<int64_t>(prompt.size()) - 1, session_.length()});
  session_.truncate(common);
  prompt_in_cache_.resize(static_cast<size_t>(common));
  return common;
}

GenerationResult Generator::generate(std::span<const int32_t> prompt,
                                     const GenerationOptions& options,
                                     const std::function<bool(int32_t)>& on_token) {
  if (prompt.empty()) fail("prompt", "expected at least one token, found none");
  if (static_cast<int64_t>(prompt.size()) > session_.capacity()) {
    fail("prompt", "{} tokens do not fit into a context of {}", prompt.size(), session_.capacity());
  }
  Sampler sampler(options.sampling, options.allowed);
  sampler.note_prompt(prompt);
  GenerationResult result;
  result.prompt_tokens = static_cast<int64_t>(prompt.size());
  result.reused_tokens = reuse_prefix(prompt);

  auto start = std::chrono::steady_clock::now();
  const auto fresh = prompt.subspan(static_cast<size_t>(result.reused_tokens));
  auto logits = session_.prefill(fresh, [&] { return on_token(-1); });
  prompt_in_cache_.assign(prompt.begin(), prompt.begin() + session_.length());
  result.prefill_seconds = seconds_since(start);
  if (logits.empty()) {
    result.reason = FinishReason::kCancelled;
    return result;
  }

  start = std::chrono::steady_clock::now();
  for (;;) {
    if (options.max_tokens > 0 && result.generated_tokens == options.max_tokens) {
      result.reason = FinishReason::kLength;
      break;
    }
    const int32_t token = sampler.sample(session_.kernels(), logits,
                                         {{}, options.excluded_behind(result.generated_tokens)});
    if (std::find(options.stop_ids.begin(), options.stop_ids.end(), token) !=
        options.stop_ids.end()) {
      break;
    }
    ++result.generated_tokens;
    if (!on_token(token)) {
      result.reason = FinishReason::kCancelled;
      break;
    }
    if (session_.length() == session_.capacity()) {
      result.reason = FinishReason::kLength;
      break;
    }
    logits = session_.decode(token);
  }
  result.decode_seconds = seconds_since(start);
  return result;
}

}  // namespace minke
