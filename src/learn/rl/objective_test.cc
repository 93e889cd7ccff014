#include "learn/rl/objective.h"

#include <cmath>

#include <gtest/gtest.h>

namespace minke {
namespace {

using std::vector;

TEST(Advantages, AreRewardsLessTheMean) {
  const vector<double> rewards = {1, 0, 0, 1, 0};
  const auto a = advantages(rewards, vector<bool>(5, false), AdvantageKind::kMean);
  for (size_t i = 0; i < 5; ++i) EXPECT_NEAR(a[i], rewards[i] - 0.4, 1e-15);
  const auto scaled = advantages(rewards, vector<bool>(5, false), AdvantageKind::kMeanAndDeviation);
  const double deviation = std::sqrt(0.24);  // of the population
  for (size_t i = 0; i < 5; ++i) EXPECT_NEAR(scaled[i], (rewards[i] - 0.4) / deviation, 1e-12);
}

TEST(Advantages, EqualRewardsHaveNoSignalToTheBit) {
  for (const double reward : {0.0, 1.0, 0.1, 1.1}) {
    const vector<double> rewards(7, reward);
    for (const auto kind : {AdvantageKind::kMean, AdvantageKind::kMeanAndDeviation}) {
      EXPECT_EQ(advantages(rewards, vector<bool>(7, false), kind), vector<double>(7, 0.0));
    }
  }
}

TEST(Advantages, MaskedRepliesCountNowhere) {
  const vector<double> rewards = {1, 0, 0, 0};
  const auto a = advantages(rewards, {false, false, true, true}, AdvantageKind::kMean);
  EXPECT_EQ(a, (vector<double>{0.5, -0.5, 0, 0}));
  // All that is left is right: no signal.
  EXPECT_EQ(advantages(rewards, {false, true, true, true}, AdvantageKind::kMean),
            vector<double>(4, 0.0));
  EXPECT_EQ(advantages(rewards, vector<bool>(4, true), AdvantageKind::kMean),
            vector<double>(4, 0.0));
}

TEST(TokenWeights, FollowTheNormalizer) {
  GrpoRecipe recipe;
  recipe.prompts = 2;
  recipe.group = 5;
  recipe.reply_tokens = 100;
  const vector<int64_t> tokens = {10, 30};
  EXPECT_EQ(token_weights(tokens, recipe), (vector<double>{1.0 / 1000, 1.0 / 1000}));
  recipe.updates = 2;
  EXPECT_EQ(token_weights(tokens, recipe), (vector<double>{1.0 / 500, 1.0 / 500}));
  recipe.normalizer = TokenNormalizer::kTokens;
  EXPECT_EQ(token_weights(tokens, recipe), (vector<double>{1.0 / 40, 1.0 / 40}));
  recipe.normalizer = TokenNormalizer::kReply;
  EXPECT_EQ(token_weights(tokens, recipe), (vector<double>{1.0 / 20, 1.0 / 60}));
}

// The bracket of the objective, whose derivative the weight is.
double bracket(double advantage, double now, double sampled, std::optional<double> reference,
               const GrpoRecipe& recipe) {
  const double ratio = std::exp(now - sampled);
  const double held = std::min(std::max(ratio, 1 - recipe.clip_low), 1 + recipe.clip_high);
  double value = std::min(ratio * advantage, held * advantage);
  if (reference) {
    const double d = *reference - now;
    value -= recipe.kl * (std::exp(d) - d - 1);
  }
  return value;
}

TEST(TokenTerm, WeightIsTheDerivativeOfTheObjective) {
  GrpoRecipe recipe;
  recipe.clip_low = 0.2;
  recipe.clip_high = 0.3;
  recipe.kl = 0.7;
  int clipped = 0;
  for (const double advantage : {-1.5, -0.1, 0.2, 2.0}) {
    for (double now = -3; now < 0; now += 0.093) {
      for (const std::optional<double> reference :
           {std::optional<double>(), std::optional<double>(-2.5), std::optional<double>(-0.3)}) {
        const double sampled = -1.2, h = 1e-6;
        const double slope = (bracket(advantage, now + h, sampled, reference, recipe) -
                              bracket(advantage, now - h, sampled, reference, recipe)) /
                             (2 * h);
        const TokenTerm term = token_term(advantage, now, sampled, reference, recipe);
        EXPECT_NEAR(term.weight, slope, 1e-6) << advantage << " " << now;
        EXPECT_GE(term.divergence, 0);
        EXPECT_EQ(term.divergence > 0, reference.has_value());
        clipped += term.clipped;
      }
    }
  }
  EXPECT_GT(clipped, 0);
}

TEST(TokenTerm, OnPolicyNothingIsClipped) {
  const GrpoRecipe recipe;
  for (const double advantage : {-1.0, 1.0}) {
    const TokenTerm term = token_term(advantage, -0.7, -0.7, std::nullopt, recipe);
    EXPECT_EQ(term.weight, advantage);
    EXPECT_FALSE(term.clipped);
  }
}

}  // namespace
}  // namespace minke
