#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/core/rng.h"
#include "math/kernels/kernels.h"

namespace minke {

struct SamplingOptions {
  float temperature = 0;  // 0: always the most likely token
  int top_k = 0;          // only the k most likely tokens; 0: all
  float top_p = 1;  // only the smallest set of most likely tokens with this probability together
                    // (Holtzman et al. 2020)
  float min_p = 0;  // only tokens with at least this share of the most likely one's probability
                    // (Nguyen et al. 2024)
  // Taken from the logit of each token that was drawn before: once, and for each time it was drawn.
  float presence_penalty = 0;
  float frequency_penalty = 0;
  // Logits of tokens of the prompt and of drawn ones are divided by it, negative ones multiplied
  // (Keskar et al. 2019). 1: none.
  float repetition_penalty = 1;
  std::vector<std::pair<int32_t, float>> logit_bias = {};  // added, before all else
  uint64_t seed = 0;
};

// Throws Error that names an option out of its range: temperature in [0, 100], top_k >= 0, top_p in
// (0, 1], min_p in [0, 1], presence and frequency penalties in [-2, 2], repetition_penalty in
// [0.01, 100], biases in [-100, 100].
void check_sampling(const SamplingOptions& options);

// What may not be drawn at one step.
struct DrawLimits {
  std::span<const uint64_t> mask = {};     // id i is bit i % 64 of word i / 64; empty: all may be
  std::span<const int32_t> excluded = {};  // these may not
};

// Draws tokens from logits. The n-th draw depends on the seed, n, what was drawn before, and the
// logits alone.
class Sampler {
 public:
  // `allowed`: for each id whether it may be drawn (padding rows of a vocabulary may not); empty:
  // all.
  Sampler(const SamplingOptions& options, const std::vector<bool>& allowed);

  // Tokens that repetition_penalty holds for from the beginning.
  void note_prompt(std::span<const int32_t> prompt);

  // Biases and penalties come first, then temperature, top_k, top_p, min_p, in this order, each
  // applied to what the one before left. Logits that are NaN or minus infinity are never drawn; if
  // no other may be drawn, throws Error.
  int32_t sample(const Kernels& kernels, std::span<const float> logits,
                 const DrawLimits& limits = {});

 private:
  static constexpr size_t kBlock = 256;  // weights that are added up together
  struct Candidate {
    int32_t id;
    float exponent;  // (logit - largest logit) / temperature
    double weight;   // exp(exponent)
  };
  static bool more_likely(const Candidate& a, const Candidate& b);
  // Sets logits_ to the logits with biases, penalties and limits.
  void adjust(std::span<const float> logits, const DrawLimits& limits);
  int32_t draw(const Kernels& kernels);
  void sum_blocks();
  std::span<const float> block_from(size_t begin) const;
  int32_t draw_of_all();
  int32_t draw_of_candidates();
  double sum_of_candidates() const;
  // Keeps the likeliest candidates that weigh `enough` together.
  void keep_top_p(double enough);

  SamplingOptions options_;
  Rng rng_;
  std::unordered_map<int32_t, int> drawn_;  // how often; kept where a penalty asks for it
  std::unordered_set<int32_t> repeated_;    // what repetition_penalty holds for
  // Ids that are not allowed: these, and all from allowed_end_ on.
  std::vector<int32_t> never_;
  size_t allowed_end_ = std::numeric_limits<size_t>::max();
  // Scratch of one draw: logits that become weights, their exponents, and sums of the weights.
  std::vector<float> logits_, exponents_;
  std::vector<double> block_sums_;
  double total_ = 0;
  std::vector<Candidate> candidates_;
};

}  // namespace minke
