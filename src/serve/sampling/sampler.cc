#include "serve/sampling/sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/core/error.h"

namespace minke {
namespace {

void check_penalty(const char* name, float value) {
  if (!(value >= -2 && value <= 2)) fail(name, "expected -2 to 2, found {}", value);
}

}  // namespace

void check_sampling(const SamplingOptions& o) {
  if (!(o.temperature >= 0 && o.temperature <= 100)) {
    fail("temperature", "expected 0 to 100, found {}", o.temperature);
  }
  if (o.top_k < 0) fail("top_k", "expected 0 or more, found {}", o.top_k);
  if (!(o.top_p > 0 && o.top_p <= 1)) fail("top_p", "expected above 0, up to 1, found {}", o.top_p);
  if (!(o.min_p >= 0 && o.min_p <= 1)) fail("min_p", "expected 0 to 1, found {}", o.min_p);
  check_penalty("presence_penalty", o.presence_penalty);
  check_penalty("frequency_penalty", o.frequency_penalty);
  if (!(o.repetition_penalty >= 0.01f && o.repetition_penalty <= 100)) {
    fail("repetition_penalty", "expected 0.01 to 100, found {}", o.repetition_penalty);
  }
  for (const auto& [id, bias] : o.logit_bias) {
    if (!(bias >= -100 && bias <= 100)) {
      fail("logit_bias", "expected -100 to 100 for token {}, found {}", id, bias);
    }
  }
}

Sampler::Sampler(const SamplingOptions& options, std::vector<bool> allowed)
    : options_(options), allowed_(std::move(allowed)), rng_(options.seed) {
  check_sampling(options);
}

bool Sampler::more_likely(const Candidate& a, const Candidate& b) {
  return a.logit != b.logit ? a.logit > b.logit : a.id < b.id;
}

bool Sampler::may_draw(std::span<const float> logits, size_t id) const {
  return !std::isnan(logits[id]) && (allowed_.empty() || (id < allowed_.size() && allowed_[id]));
}

int32_t Sampler::most_likely(std::span<const float> logits) const {
  int32_t best = -1;
  for (size_t id = 0; id < logits.size(); ++id) {
    if (!may_draw(logits, id)) continue;
    if (best < 0 || logits[id] > logits[static_cast<size_t>(best)]) best = static_cast<int32_t>(id);
  }
  if (best < 0) fail("sampling", "the model gave no usable logit; its weights may be damaged");
  return best;
}

// Few of a large vocabulary are ever kept, so they are taken from a heap one by one instead of
// sorting all.
void Sampler::keep_top_p() {
  double enough = 0;
  for (const auto& c : candidates_) enough += c.weight;
  enough *= options_.top_p;
  const auto less_likely = [](const Candidate& a, const Candidate& b) { return more_likely(b, a); };
  std::make_heap(candidates_.begin(), candidates_.end(), less_likely);
  auto rest = candidates_.end();
  do {
    std::pop_heap(candidates_.begin(), rest, less_likely);
    --rest;
    enough -= rest->weight;
  } while (enough > 0 && rest != candidates_.begin());
  candidates_.erase(candidates_.begin(), rest);
}

void Sampler::note_prompt(std::span<const int32_t> prompt) {
  if (options_.repetition_penalty != 1) repeated_.insert(prompt.begin(), prompt.end());
}

std::span<const float> Sampler::adjusted(std::span<const float> logits, const DrawLimits& limits) {
  const bool penalties = !drawn_.empty() || !repeated_.empty();
  if (!penalties && options_.logit_bias.empty() && limits.mask.empty() && limits.excluded.empty()) {
    return logits;
  }
  constexpr float kNever = std::numeric_limits<float>::quiet_NaN();
  adjusted_.assign(logits.begin(), logits.end());
  const auto at = [&](int32_t id) -> float* {
    const auto i = static_cast<size_t>(id);
    return id >= 0 && i < adjusted_.size() ? &adjusted_[i] : nullptr;
  };
  for (const auto& [id, bias] : options_.logit_bias) {
    if (float* logit = at(id)) *logit += bias;
  }
  for (const int32_t id : repeated_) {
    if (float* logit = at(id)) {
      *logit *= *logit > 0 ? 1 / options_.repetition_penalty : options_.repetition_penalty;
    }
  }
  for (const auto& [id, times] : drawn_) {
    *at(id) -= options_.presence_penalty + static_cast<float>(times) * options_.frequency_penalty;
  }
  if (!limits.mask.empty()) {
    for (size_t id = 0; id < adjusted_.size(); ++id) {
      if ((limits.mask[id / 64] >> (id % 64) & 1) == 0) adjusted_[id] = kNever;
    }
  }
  for (const int32_t id : limits.excluded) {
    if (float* logit = at(id)) *logit = kNever;
  }
  return adjusted_;
}

int32_t Sampler::sample(std::span<const float> logits, const DrawLimits& limits) {
  const int32_t id = draw(adjusted(logits, limits));
  if (options_.presence_penalty != 0 || options_.frequency_penalty != 0) ++drawn_[id];
  if (options_.repetition_penalty != 1) repeated_.insert(id);
  return id;
}

int32_t Sampler::draw(std::span<const float> logits) {
  const int32_t best = most_likely(logits);
  if (options_.temperature == 0 || options_.top_k == 1) return best;
  const float top = logits[static_cast<size_t>(best)];
  candidates_.clear();
  for (size_t id = 0; id < logits.size(); ++id) {
    if (!may_draw(logits, id)) continue;
    const double weight = std::exp((static_cast<double>(logits[id]) - top) / options_.temperature);
    if (weight > 0) candidates_.push_back({static_cast<int32_t>(id), logits[id], weight});
  }
  // An infinite best logit leaves no finite weight.
  if (candidates_.empty()) return best;
  const auto k = static_cast<size_t>(options_.top_k);
  if (k > 0 && candidates_.size() > k) {
    const auto kth = candidates_.begin() + options_.top_k;
    std::partial_sort(candidates_.begin(), kth, candidates_.end(), more_likely);
    candidates_.resize(k);
  }
  if (options_.top_p < 1) keep_top_p();
  // The best candidate's weight is 1.
  std::erase_if(candidates_, [&](const Candidate& c) { return c.weight < options_.min_p; });
  double total = 0;
  for (const auto& c : candidates_) total += c.weight;
  double at = rng_.uniform() * total;
  for (const auto& c : candidates_) {
    at -= c.weight;
    if (at < 0) return c.id;
  }
  return candidates_.back().id;
}

}  // namespace minke
