#include "serve/sampling/sampler.h"

#include <cmath>
#include <limits>
#include <set>

#include <gtest/gtest.h>

#include "base/core/error.h"

namespace minke {
namespace {

const std::vector<float> kLogits = {0.0f, 2.0f, 1.0f, 2.0f, -1.0f};

std::set<int32_t> drawn(const SamplingOptions& options, std::vector<bool> allowed = {}) {
  Sampler sampler(options, std::move(allowed));
  std::set<int32_t> ids;
  for (int i = 0; i < 2000; ++i) ids.insert(sampler.sample(kLogits));
  return ids;
}

TEST(Sampler, ZeroTemperatureTakesTheFirstLargest) {
  EXPECT_EQ(drawn({}), std::set<int32_t>({1}));
  EXPECT_EQ(drawn({}, {true, false, true, false, true}), std::set<int32_t>({2}));
}

TEST(Sampler, TruncationsKeepWhatTheySay) {
  SamplingOptions o;
  o.temperature = 1;
  EXPECT_EQ(drawn(o).size(), 5u);
  o.top_k = 3;
  EXPECT_EQ(drawn(o), std::set<int32_t>({1, 2, 3}));
  o.top_k = 0;
  o.top_p = 0.5f;  // the two largest have 0.39 each
  EXPECT_EQ(drawn(o), std::set<int32_t>({1, 3}));
  o.top_p = 1;
  o.min_p = 0.3f;  // exp(-1) = 0.37 stays, exp(-2) = 0.14 goes
  EXPECT_EQ(drawn(o), std::set<int32_t>({1, 2, 3}));
}

TEST(Sampler, DrawsFollowTheDistribution) {
  SamplingOptions o;
  o.temperature = 1;
  o.seed = 5;
  Sampler sampler(o, {});
  const int n = 50000;
  std::vector<int> counts(5, 0);
  for (int i = 0; i < n; ++i) ++counts[static_cast<size_t>(sampler.sample(kLogits))];
  double total = 0;
  for (const float l : kLogits) total += std::exp(l);
  for (size_t i = 0; i < 5; ++i) {
    EXPECT_NEAR(counts[i] / static_cast<double>(n), std::exp(kLogits[i]) / total, 0.01);
  }
}

TEST(Sampler, SameSeedSameDraws) {
  SamplingOptions o;
  o.temperature = 0.8f;
  o.seed = 42;
  Sampler a(o, {}), b(o, {});
  for (int i = 0; i < 100; ++i) EXPECT_EQ(a.sample(kLogits), b.sample(kLogits));
}

TEST(Sampler, SurvivesNanAndInfinity) {
  const float nan = std::nanf(""), inf = std::numeric_limits<float>::infinity();
  SamplingOptions o;
  o.temperature = 1;
  Sampler sampler(o, {});
  EXPECT_EQ(sampler.sample(std::vector<float>{nan, 1.0f, -inf}), 1);
  EXPECT_EQ(sampler.sample(std::vector<float>{0.0f, inf}), 1);
  EXPECT_THROW(sampler.sample(std::vector<float>{nan, nan}), Error);
}

// Tokens 1 and 3 have 2.0, token 2 has 1.0, the others less.
TEST(Sampler, BiasesComeFirst) {
  SamplingOptions o;
  o.logit_bias = {{4, 10.0f}, {1, -100.0f}, {77, 5.0f}};
  EXPECT_EQ(drawn(o), std::set<int32_t>({4}));
  o.logit_bias = {{1, -100.0f}};
  EXPECT_EQ(drawn(o), std::set<int32_t>({3}));
}

TEST(Sampler, PenaltiesMoveOnToOtherTokens) {
  SamplingOptions o;
  o.presence_penalty = 1.5f;  // once: 1, 3 and 2 in turn fall to 0.5, 0.5 and -0.5
  Sampler presence(o, {});
  std::vector<int32_t> ids;
  for (int i = 0; i < 5; ++i) ids.push_back(presence.sample(kLogits));
  EXPECT_EQ(ids, std::vector<int32_t>({1, 3, 2, 1, 1}));
  o = {};
  o.frequency_penalty = 0.75f;  // 1: 2, 1.25, 0.5; 3: alike
  Sampler frequency(o, {});
  ids.clear();
  for (int i = 0; i < 6; ++i) ids.push_back(frequency.sample(kLogits));
  EXPECT_EQ(ids, std::vector<int32_t>({1, 3, 1, 3, 2, 1}));
}

TEST(Sampler, RepetitionPenaltyHoldsForThePromptToo) {
  SamplingOptions o;
  o.repetition_penalty = 4;
  Sampler sampler(o, {});
  sampler.note_prompt(std::vector<int32_t>{1});
  EXPECT_EQ(sampler.sample(kLogits), 3);  // 1: 0.5
  EXPECT_EQ(sampler.sample(kLogits), 2);  // 3: 0.5
  EXPECT_EQ(sampler.sample(kLogits), 1);  // 2: 0.25
}

TEST(Sampler, LimitsHoldForOneStep) {
  SamplingOptions o;
  Sampler sampler(o, {});
  const uint64_t mask = 0b10101;
  const std::vector<int32_t> excluded = {1, 3};
  EXPECT_EQ(sampler.sample(kLogits, DrawLimits{{&mask, 1}, {}}), 2);
  EXPECT_EQ(sampler.sample(kLogits, DrawLimits{{}, excluded}), 2);
  EXPECT_EQ(sampler.sample(kLogits), 1);
  const uint64_t none = 0;
  EXPECT_THROW(sampler.sample(kLogits, DrawLimits{{&none, 1}, {}}), Error);
}

TEST(Sampler, OptionsOutOfRangeAreErrors) {
  for (const SamplingOptions& o : {SamplingOptions{-1, 0, 1, 0, 0}, SamplingOptions{1, -1, 1, 0, 0},
                                   SamplingOptions{1, 0, 0, 0, 0}, SamplingOptions{1, 0, 1, 2, 0},
                                   SamplingOptions{std::nanf(""), 0, 1, 0, 0}}) {
    EXPECT_THROW(check_sampling(o), Error);
  }
}

}  // namespace
}  // namespace minke
