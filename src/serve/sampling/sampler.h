#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "base/core/rng.h"

namespace minke {

struct SamplingOptions {
  float temperature = 0;  // 0: always the most likely token
  int top_k = 0;          // only the k most likely tokens; 0: all
  float top_p = 1;  // only the smallest set of most likely tokens with this probability together
                    // (Holtzman et al. 2020)
  float min_p = 0;  // only tokens with at least this share of the most likely one's probability
                    // (Nguyen et al. 2024)
  uint64_t seed = 0;
  float presence_penalty = 0;    // taken once from the logit of each token drawn before
  float frequency_penalty = 0;   // taken from it for each time it was drawn
  float repetition_penalty = 1;  // divides positive logits of tokens seen before, multiplies
                                 // negative ones (Keskar et al. 2019); 1: none
  std::vector<std::pair<int32_t, float>> logit_bias = {};  // added to the logits of these ids
};

// Throws Error that names an option out of its range: temperature in [0, 100], top_k >= 0, top_p in
// (0, 1], min_p in [0, 1].
void check_sampling(const SamplingOptions& options);

// Draws tokens from logits. The n-th draw depends on the seed, n, and the logits alone.
class Sampler {
 public:
  // `allowed`: for each id whether it may be drawn (padding rows of a vocabulary may not); empty:
  // all.
  Sampler(const SamplingOptions& options, std::vector<bool> allowed);

  // Temperature is applied first, then top_k, top_p, min_p, in this order, each to what the one
  // before left. NaN logits are never drawn; if all are NaN, throws Error.
  int32_t sample(std::span<const float> logits);

 private:
  struct Candidate {
    int32_t id;
    float logit;
    double weight;
  };
  static bool more_likely(const Candidate& a, const Candidate& b);
  int32_t most_likely(std::span<const float> logits) const;
  bool may_draw(std::span<const float> logits, size_t id) const;
  void keep_top_p();

  SamplingOptions options_;
  std::vector<bool> allowed_;
  Rng rng_;
  std::vector<Candidate> candidates_;  // scratch
};

}  // namespace minke
