#include "serve/sampling/sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/core/error.h"

namespace minke {
namespace {

// Of a token that may not be drawn.
constexpr float kNever = -std::numeric_limits<float>::infinity();

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

Sampler::Sampler(const SamplingOptions& options, const std::vector<bool>& allowed)
    : options_(options), rng_(options.seed) {
  check_sampling(options);
  if (!allowed.empty()) allowed_end_ = allowed.size();
  for (size_t id = 0; id < allowed.size(); ++id) {
    if (!allowed[id]) never_.push_back(static_cast<int32_t>(id));
  }
}

bool Sampler::more_likely(const Candidate& a, const Candidate& b) {
  return a.exponent != b.exponent ? a.exponent > b.exponent : a.id < b.id;
}

void Sampler::note_prompt(std::span<const int32_t> prompt) {
  if (options_.repetition_penalty != 1) repeated_.insert(prompt.begin(), prompt.end());
}

void Sampler::adjust(std::span<const float> logits, const DrawLimits& limits) {
  logits_.assign(logits.begin(), logits.end());
  const auto at = [&](int32_t id) -> float* {
    const auto i = static_cast<size_t>(id);
    return id >= 0 && i < logits_.size() ? &logits_[i] : nullptr;
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
    for (size_t id = 0; id < logits_.size(); ++id) {
      if ((limits.mask[id / 64] >> (id % 64) & 1) == 0) logits_[id] = kNever;
    }
  }
  for (const std::span<const int32_t> ids : {limits.excluded, std::span<const int32_t>(never_)}) {
    for (const int32_t id : ids) {
      if (float* logit = at(id)) *logit = kNever;
    }
  }
  for (size_t id = allowed_end_; id < logits_.size(); ++id) logits_[id] = kNever;
  for (float& logit : logits_) logit = std::isnan(logit) ? kNever : logit;
}

int32_t Sampler::sample(const Kernels& kernels, std::span<const float> logits,
                        const DrawLimits& limits) {
  adjust(logits, limits);
  const int32_t id = draw(kernels);
  if (options_.presence_penalty != 0 || options_.frequency_penalty != 0) ++drawn_[id];
  if (options_.repetition_penalty != 1) repeated_.insert(id);
  return id;
}

int32_t Sampler::draw(const Kernels& kernels) {
  const auto count = static_cast<int64_t>(logits_.size());
  const float top = kernels.max(logits_.data(), count);
  if (top == kNever) {
    fail("sampling", "the model gave no usable logit; its weights may be damaged");
  }
  const auto best = static_cast<int32_t>(std::ranges::find(logits_, top) - logits_.begin());
  // Beside an infinite logit no other counts.
  if (options_.temperature == 0 || options_.top_k == 1 || std::isinf(top)) return best;
  for (float& logit : logits_) logit = (logit - top) / options_.temperature;
  const bool truncates = options_.top_k > 0 || options_.top_p < 1 || options_.min_p > 0;
  if (truncates) exponents_ = logits_;
  // The best token's weight is 1.
  kernels.exp_sum(logits_.data(), count, 0);
  sum_blocks();
  return truncates ? draw_of_candidates() : draw_of_all();
}

void Sampler::sum_blocks() {
  block_sums_.clear();
  total_ = 0;
  for (size_t begin = 0; begin < logits_.size(); begin += kBlock) {
    const std::span<const float> block = block_from(begin);
    // Two sums side by side: one would wait for itself at each step.
    double even = 0, odd = 0;
    for (size_t i = 0; i + 1 < block.size(); i += 2) {
      even += block[i];
      odd += block[i + 1];
    }
    if (block.size() % 2 == 1) even += block.back();
    block_sums_.push_back(even + odd);
    total_ += block_sums_.back();
  }
}

std::span<const float> Sampler::block_from(size_t begin) const {
  return std::span(logits_).subspan(begin, std::min(kBlock, logits_.size() - begin));
}

int32_t Sampler::draw_of_all() {
  double at = rng_.uniform() * total_;
  size_t b = 0;
  while (b + 1 < block_sums_.size() && at >= block_sums_[b]) at -= block_sums_[b++];
  // Rounding may leave something at the end of a block: then it is its last token, or the last one
  // before if the block has none.
  for (;; --b, at = HUGE_VAL) {
    const std::span<const float> block = block_from(b * kBlock);
    int32_t last = -1;
    for (size_t i = 0; i < block.size(); ++i) {
      if (block[i] == 0) continue;
      last = static_cast<int32_t>(b * kBlock + i);
      at -= block[i];
      if (at < 0) return last;
    }
    if (last >= 0) return last;
  }
}

int32_t Sampler::draw_of_candidates() {
  const auto k = static_cast<size_t>(options_.top_k);
  double floor = 0;
  if (k == 0) {
    // Tokens below this have less than 1 - top_p together, so that all of them would go.
    const double rest = (1 - static_cast<double>(options_.top_p)) * total_;
    floor = std::max<double>(options_.min_p, rest / static_cast<double>(logits_.size()));
  }
  candidates_.clear();
  for (size_t id = 0; id < logits_.size(); ++id) {
    const double weight = logits_[id];
    if (weight > 0 && weight >= floor) {
      candidates_.push_back({static_cast<int32_t>(id), exponents_[id], weight});
    }
  }
  double total = total_;
  if (k > 0 && candidates_.size() > k) {
    const auto kth = candidates_.begin() + options_.top_k;
    std::partial_sort(candidates_.begin(), kth, candidates_.end(), more_likely);
    candidates_.resize(k);
    total = sum_of_candidates();
  }
  if (options_.top_p < 1) keep_top_p(total * options_.top_p);
  std::erase_if(candidates_, [&](const Candidate& c) { return c.weight < options_.min_p; });
  double at = rng_.uniform() * sum_of_candidates();
  for (const auto& c : candidates_) {
    at -= c.weight;
    if (at < 0) return c.id;
  }
  return candidates_.back().id;
}

double Sampler::sum_of_candidates() const {
  double total = 0;
  for (const auto& c : candidates_) total += c.weight;
  return total;
}

// Few of a large vocabulary are ever kept, so they are taken from a heap one by one instead of
// sorting all.
void Sampler::keep_top_p(double enough) {
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

}  // namespace minke
