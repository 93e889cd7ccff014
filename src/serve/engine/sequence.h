#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/kv/kv_cache.h"
#include "serve/engine/engine.h"

namespace minke {

using EngineClock = std::chrono::steady_clock;

inline double seconds_between(EngineClock::time_point from, EngineClock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

// A request on its way through the scheduler. What is drawn depends on nothing that other sequences
// have: the sampler is its own.
struct Sequence {
  Sequence(int64_t own_number, EngineRequest own_request, std::shared_ptr<EngineListener> own_ear);

  int64_t prompt_tokens() const { return static_cast<int64_t>(request.prompt.size()); }
  int64_t tokens() const { return prompt_tokens() + static_cast<int64_t>(drawn.size()); }
  int64_t fed() const { return cache->length(); }
  bool in_prompt() const { return fed() < prompt_tokens(); }
  // The token behind those that are in the cache.
  int32_t next() const;
  bool ended() const { return reason.has_value() || !failure.empty(); }

  int64_t number;
  EngineRequest request;
  std::shared_ptr<EngineListener> listener;
  Sampler sampler;
  std::vector<uint64_t> mask;  // of the constraint

  std::unique_ptr<KvCache> cache;   // none while it waits
  std::vector<int32_t> drawn;       // without the stop token
  std::vector<EngineToken> scores;  // of the prompt, if asked for
  bool started = false;
  std::optional<FinishReason> reason;
  std::string failure;

  EngineReceipt receipt;
  EngineClock::time_point submitted, first_pass, first_token;
};

// One token that draw_token() has drawn.
struct DrawnToken {
  EngineToken token;
  bool stops = false;
};

// Draws the sequence's next token from a row of logits, which it may overwrite. Throws Error if
// none can be drawn.
DrawnToken draw_token(Sequence& sequence, std::span<float> logits, const Kernels& kernels);

// ln of the probability of `id` and of the `top` likeliest, as the logits give it. Overwrites them.
EngineToken score_token(int32_t id, int top, std::span<float> logits, const Kernels& kernels);

}  // namespace minke
