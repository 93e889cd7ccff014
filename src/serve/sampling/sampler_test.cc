#include "serve/sampling/sampler.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>

#include <gtest/gtest.h>

#include "base/core/error.h"
#include "base/cpu/isa.h"

namespace minke {
namespace {

const Kernels kKernels = select_kernels(machine_isa());
const std::vector<float> kLogits = {0.0f, 2.0f, 1.0f, 2.0f, -1.0f};

std::set<int32_t> drawn(const SamplingOptions& options, std::vector<bool> allowed = {}) {
  Sampler sampler(options, std::move(allowed));
  std::set<int32_t> ids;
  for (int i = 0; i < 2000; ++i) ids.insert(sampler.sample(kKernels, kLogits));
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

// Each truncation works on what the one before left.
TEST(Sampler, TruncationsFollowOneAnother) {
  SamplingOptions o;
  o.temperature = 1;
  o.top_k = 3;      // 0.42, 0.42 and 0.16 of what is left
  o.top_p = 0.83f;  // the first two, which are 0.79 of all, would not do without top_k
  EXPECT_EQ(drawn(o), std::set<int32_t>({1, 3}));
  o.top_k = 0;
  EXPECT_EQ(drawn(o), std::set<int32_t>({1, 2, 3}));
  o.min_p = 0.5f;
  EXPECT_EQ(drawn(o), std::set<int32_t>({1, 3}));
}

TEST(Sampler, TinyTemperaturesTakeTheLargest) {
  for (const float temperature : {1e-6f, 1e-30f, 1e-44f}) {
    SamplingOptions o;
    o.temperature = temperature;
    EXPECT_EQ(drawn(o), std::set<int32_t>({1, 3})) << temperature;
    o.top_p = 1e-9f;
    EXPECT_EQ(drawn(o), std::set<int32_t>({1})) << temperature;
  }
}

// Blocks of weights that are all zero stand before and behind the tokens that may be drawn.
TEST(Sampler, FewOfManyMayBeDrawn) {
  std::vector<float> logits(3000, 1.0f);
  std::vector<bool> allowed(1000, false);  // the others are no tokens
  allowed[600] = allowed[601] = true;
  SamplingOptions o;
  o.temperature = 1;
  Sampler sampler(o, allowed);
  std::set<int32_t> ids;
  const std::vector<int32_t> excluded = {-1, 5000};
  for (int i = 0; i < 500; ++i) {
    ids.insert(sampler.sample(kKernels, logits, DrawLimits{{}, excluded}));
  }
  EXPECT_EQ(ids, std::set<int32_t>({600, 601}));
}

TEST(Sampler, DrawsFollowTheDistribution) {
  SamplingOptions o;
  o.temperature = 1;
  o.seed = 5;
  Sampler sampler(o, {});
  const int n = 50000;
  std::vector<int> counts(5, 0);
  for (int i = 0; i < n; ++i) ++counts[static_cast<size_t>(sampler.sample(kKernels, kLogits))];
  double total = 0;
  for (const float l : kLogits) total += std::exp(l);
  for (size_t i = 0; i < 5; ++i) {
    EXPECT_NEAR(counts[i] / static_cast<double>(n), std::exp(kLogits[i]) / total, 0.01);
  }
}

// Many tokens, most of them next to impossible, as models give.
std::vector<float> many_logits() {
  std::vector<float> logits;
  Rng rng(3);
  for (int i = 0; i < 5001; ++i) logits.push_back(static_cast<float>(rng.uniform() * 12));
  logits[700] = 14;
  logits[5000] = 13.5f;
  return logits;
}

TEST(Sampler, DrawsOfManyFollowTheDistribution) {
  const std::vector<float> logits = many_logits();
  SamplingOptions o;
  o.temperature = 1.25f;
  Sampler sampler(o, {});
  constexpr int kDraws = 50000;
  constexpr size_t kParts = 7;
  std::array<double, kParts + 2> expected{}, found{};  // of parts of the ids, and of the likeliest
  const auto part = [](size_t id) {
    return id == 700 ? kParts : id == 5000 ? kParts + 1 : id * kParts / 5001;
  };
  double total = 0;
  for (size_t id = 0; id < logits.size(); ++id) {
    const double weight = std::exp(static_cast<double>(logits[id]) / 1.25);
    expected[part(id)] += weight;
    total += weight;
  }
  for (int i = 0; i < kDraws; ++i) {
    ++found[part(static_cast<size_t>(sampler.sample(kKernels, logits)))];
  }
  for (size_t p = 0; p < expected.size(); ++p) {
    EXPECT_NEAR(found[p] / kDraws, expected[p] / total, 0.01) << p;
  }
}

TEST(Sampler, TopPOfManyIsTheSmallestSet) {
  const std::vector<float> logits = many_logits();
  std::vector<size_t> order(logits.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::sort(order, [&](size_t a, size_t b) { return logits[a] > logits[b]; });
  double total = 0;
  for (const float l : logits) total += std::exp(static_cast<double>(l));
  for (const float top_p : {0.02f, 0.3f, 0.9f}) {
    std::set<int32_t> expected;
    double left = total * top_p;
    for (size_t i = 0; left > 0; ++i) {
      expected.insert(static_cast<int32_t>(order[i]));
      left -= std::exp(static_cast<double>(logits[order[i]]));
    }
    SamplingOptions o;
    o.temperature = 1;
    o.top_p = top_p;
    Sampler sampler(o, {});
    std::set<int32_t> found;
    for (int i = 0; i < 20000; ++i) found.insert(sampler.sample(kKernels, logits));
    for (const int32_t id : found) EXPECT_TRUE(expected.contains(id)) << top_p << ": " << id;
    if (expected.size() < 200) {
      EXPECT_EQ(found.size(), expected.size()) << top_p;
    }
  }
}

TEST(Sampler, SameSeedSameDraws) {
  SamplingOptions o;
  o.temperature = 0.8f;
  o.seed = 42;
  Sampler a(o, {}), b(o, {});
  for (int i = 0; i < 100; ++i) EXPECT_EQ(a.sample(kKernels, kLogits), b.sample(kKernels, kLogits));
}

TEST(Sampler, SurvivesNanAndInfinity) {
  const float nan = std::nanf(""), inf = std::numeric_limits<float>::infinity();
  SamplingOptions o;
  o.temperature = 1;
  Sampler sampler(o, {});
  EXPECT_EQ(sampler.sample(kKernels, std::vector<float>{nan, 1.0f, -inf}), 1);
  EXPECT_EQ(sampler.sample(kKernels, std::vector<float>{0.0f, inf}), 1);
  EXPECT_THROW(sampler.sample(kKernels, std::vector<float>{nan, nan}), Error);
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
  for (int i = 0; i < 5; ++i) ids.push_back(presence.sample(kKernels, kLogits));
  EXPECT_EQ(ids, std::vector<int32_t>({1, 3, 2, 1, 1}));
  o = {};
  o.frequency_penalty = 0.75f;  // 1: 2, 1.25, 0.5; 3: alike
  Sampler frequency(o, {});
  ids.clear();
  for (int i = 0; i < 6; ++i) ids.push_back(frequency.sample(kKernels, kLogits));
  EXPECT_EQ(ids, std::vector<int32_t>({1, 3, 1, 3, 2, 1}));
}

TEST(Sampler, RepetitionPenaltyHoldsForThePromptToo) {
  SamplingOptions o;
  o.repetition_penalty = 4;
  Sampler sampler(o, {});
  sampler.note_prompt(std::vector<int32_t>{1});
  EXPECT_EQ(sampler.sample(kKernels, kLogits), 3);  // 1: 0.5
  EXPECT_EQ(sampler.sample(kKernels, kLogits), 2);  // 3: 0.5
  EXPECT_EQ(sampler.sample(kKernels, kLogits), 1);  // 2: 0.25
}

TEST(Sampler, LimitsHoldForOneStep) {
  SamplingOptions o;
  Sampler sampler(o, {});
  const uint64_t mask = 0b10101;
  const std::vector<int32_t> excluded = {1, 3};
  EXPECT_EQ(sampler.sample(kKernels, kLogits, DrawLimits{{&mask, 1}, {}}), 2);
  EXPECT_EQ(sampler.sample(kKernels, kLogits, DrawLimits{{}, excluded}), 2);
  EXPECT_EQ(sampler.sample(kKernels, kLogits), 1);
  const uint64_t none = 0;
  EXPECT_THROW(sampler.sample(kKernels, kLogits, DrawLimits{{&none, 1}, {}}), Error);
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
