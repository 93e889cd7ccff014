#include "learn/rl/objective.h"

#include <cmath>
#include <numeric>

#include "base/core/check.h"

namespace minke {

std::vector<double> advantages(std::span<const double> rewards, const std::vector<bool>& masked,
                               AdvantageKind kind) {
  CHECK(rewards.size() == masked.size());
  double sum = 0, squares = 0;
  int64_t count = 0;
  bool differ = false;
  std::optional<double> first;
  for (size_t i = 0; i < rewards.size(); ++i) {
    if (masked[i]) continue;
    if (!first) first = rewards[i];
    differ |= rewards[i] != *first;
    sum += rewards[i];
    ++count;
  }
  std::vector<double> result(rewards.size(), 0.0);
  if (!differ) return result;
  const double mean = sum / static_cast<double>(count);
  for (size_t i = 0; i < rewards.size(); ++i) {
    if (masked[i]) continue;
    result[i] = rewards[i] - mean;
    squares += result[i] * result[i];
  }
  if (kind == AdvantageKind::kMean) return result;
  const double deviation = std::sqrt(squares / static_cast<double>(count));
  for (double& a : result) a /= deviation;
  return result;
}

std::vector<double> token_weights(std::span<const int64_t> tokens, const GrpoRecipe& recipe) {
  const auto replies = static_cast<double>(tokens.size());
  const double constant = static_cast<double>(recipe.updates) /
                          static_cast<double>(recipe.prompts * recipe.group * recipe.reply_tokens);
  const auto all = static_cast<double>(std::accumulate(tokens.begin(), tokens.end(), int64_t{0}));
  std::vector<double> weights;
  for (const int64_t count : tokens) {
    switch (recipe.normalizer) {
      case TokenNormalizer::kConstant:
        weights.push_back(constant);
        break;
      case TokenNormalizer::kTokens:
        weights.push_back(1 / all);
        break;
      case TokenNormalizer::kReply:
        weights.push_back(1 / (replies * static_cast<double>(count)));
        break;
    }
  }
  return weights;
}

TokenTerm token_term(double advantage, double now, double sampled, std::optional<double> reference,
                     const GrpoRecipe& recipe) {
  TokenTerm term;
  const double ratio = std::exp(now - sampled);
  // Where the clipped term is the smaller one, it is a constant.
  term.clipped = (advantage > 0 && ratio > 1 + recipe.clip_high) ||
                 (advantage < 0 && ratio < 1 - recipe.clip_low);
  if (!term.clipped) term.weight = ratio * advantage;
  if (reference) {
    const double d = *reference - now;
    term.divergence = std::exp(d) - d - 1;
    term.weight -= recipe.kl * (1 - std::exp(d));
  }
  return term;
}

}  // namespace minke
