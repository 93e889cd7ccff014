#include "serve/engine/sequence.h"

#include <algorithm>
#include <cmath>

#include "base/core/check.h"
#include "math/kernels/kernels.h"

namespace minke {

Sequence::Sequence(int64_t own_number, EngineRequest own_request,
                   std::shared_ptr<EngineListener> own_ear)
    : number(own_number),
      request(std::move(own_request)),
      listener(std::move(own_ear)),
      sampler(request.options.sampling, request.options.allowed),
      submitted(EngineClock::now()) {
  sampler.note_prompt(request.prompt);
  receipt.prompt_tokens = prompt_tokens();
}

int32_t Sequence::next() const {
  const auto at = static_cast<size_t>(fed());
  CHECK(static_cast<int64_t>(at) < tokens());
  return at < request.prompt.size() ? request.prompt[at] : drawn[at - request.prompt.size()];
}

EngineToken score_token(int32_t id, int top, std::span<float> logits, const Kernels& kernels) {
  EngineToken token{id, logits[static_cast<size_t>(id)], {}};
  const auto more_likely = [](const TokenProbability& a, const TokenProbability& b) {
    return a.log_probability != b.log_probability ? a.log_probability > b.log_probability
                                                  : a.id < b.id;
  };
  // The best so far, likeliest first; few are wanted of many.
  for (size_t i = 0; top > 0 && i < logits.size(); ++i) {
    const TokenProbability candidate{static_cast<int32_t>(i), logits[i]};
    const bool full = static_cast<int>(token.top.size()) == top;
    if (std::isnan(logits[i]) || (full && !more_likely(candidate, token.top.back()))) continue;
    if (full) token.top.pop_back();
    const auto at = std::upper_bound(token.top.begin(), token.top.end(), candidate, more_likely);
    token.top.insert(at, candidate);
  }
  const auto count = static_cast<int64_t>(logits.size());
  const float max = kernels.max(logits.data(), count);
  // The logits are not needed behind this: exp_sum() works in place.
  const float total = kernels.exp_sum(logits.data(), count, max);
  // Formed as cross_entropy() does, to the bit.
  const double log_total = std::log(static_cast<double>(total));
  const auto log_probability = [&](float logit) {
    return static_cast<float>(static_cast<double>(logit - max) - log_total);
  };
  token.log_probability = log_probability(token.log_probability);
  for (TokenProbability& t : token.top) t.log_probability = log_probability(t.log_probability);
  return token;
}

DrawnToken draw_token(Sequence& sequence, std::span<float> logits, const Kernels& kernels) {
  const GenerationOptions& options = sequence.request.options;
  DrawLimits limits;
  if (sequence.request.constraint) {
    sequence.mask.assign((logits.size() + 63) / 64, 0);
    sequence.request.constraint->allowed(sequence.mask);
    limits.mask = sequence.mask;
  }
  limits.excluded = options.excluded_behind(static_cast<int64_t>(sequence.drawn.size()));
  const int32_t id = sequence.sampler.sample(kernels, logits, limits);
  if (sequence.request.constraint) sequence.request.constraint->accept(id);
  DrawnToken result;
  result.token.id = id;
  if (sequence.request.log_probabilities) {
    result.token = score_token(id, sequence.request.top, logits, kernels);
  }
  const auto& stops = options.stop_ids;
  result.stops = std::find(stops.begin(), stops.end(), id) != stops.end();
  return result;
}

}  // namespace minke
