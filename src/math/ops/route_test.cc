#include <cmath>

#include <gtest/gtest.h>

#include "math/ops/test_context.h"

namespace minke {
namespace {

Tensor row(const std::vector<float>& v) {
  Tensor t = Tensor::zeros(DType::kF32, {1, static_cast<int64_t>(v.size())});
  std::copy(v.begin(), v.end(), t.f32());
  return t;
}
Tensor vector_of(const std::vector<float>& v) {
  return row(v).reshaped({static_cast<int64_t>(v.size())});
}

TEST(Route, GreedySoftmaxKeepsUnnormalisedProbabilities) {
  TestContext t;
  RouterOptions o;
  o.top_k = 2;
  const Routing r = route(t.ctx, row({0, 2, 1, -1}), {}, o);
  EXPECT_EQ(r.experts, std::vector<int32_t>({1, 2}));
  const double total = 1 + std::exp(2) + std::exp(1) + std::exp(-1);
  EXPECT_NEAR(r.weights.f32()[0], std::exp(2) / total, 1e-6);
  EXPECT_NEAR(r.weights.f32()[1], std::exp(1) / total, 1e-6);
}

TEST(Route, TiesGoToTheLowerIndex) {
  TestContext t;
  RouterOptions o;
  o.top_k = 2;
  EXPECT_EQ(route(t.ctx, row({1, 3, 3, 3}), {}, o).experts, std::vector<int32_t>({1, 2}));
}

TEST(Route, GroupLimitedGreedyTakesTheGroupsWithTheLargestMember) {
  TestContext t;
  RouterOptions o;
  o.top_k = 3;
  o.groups = 4;
  o.top_groups = 2;
  o.scale = 16;
  // Group maxima: 5, 4, 3, 2; expert 4 (3.9) would win over expert 1 (1), were its group kept.
  const Routing r = route(t.ctx, row({5, 1, 4, 0, 3, 2.9f, 2, 2}), {}, o);
  EXPECT_EQ(r.experts, std::vector<int32_t>({0, 2, 1}));
  double total = 0;
  for (const double z : {5., 1., 4., 0., 3., 2.9, 2., 2.}) total += std::exp(z);
  EXPECT_NEAR(r.weights.f32()[0], 16 * std::exp(5) / total, 1e-4);
}

TEST(Route, NoAuxTcChoosesByBiasedScoreAndWeighsByTheBareOne) {
  TestContext t;
  RouterOptions o;
  o.top_k = 2;
  o.score = RouterScore::kSigmoid;
  o.group_score = GroupScore::kTopTwoSum;
  o.normalize = true;
  o.scale = 2.5f;
  const Routing r = route(t.ctx, row({0, 0, 0, 0}), vector_of({0, 0.1f, 0.3f, -1}), o);
  EXPECT_EQ(r.experts, std::vector<int32_t>({2, 1}));
  EXPECT_NEAR(r.weights.f32()[0], 1.25, 1e-6);
  EXPECT_NEAR(r.weights.f32()[1], 1.25, 1e-6);
}

TEST(Route, ExcludedGroupsStayOutWhenChosenScoresAreNegative) {
  TestContext t;
  RouterOptions o;
  o.top_k = 2;
  o.score = RouterScore::kSigmoid;
  o.groups = 2;
  o.top_groups = 1;
  o.group_score = GroupScore::kTopTwoSum;
  // All biased scores are negative; a mask of zeros would choose from the excluded group.
  const Routing r = route(t.ctx, row({0, 0, 0, 0}), vector_of({-3, -3, -2, -2}), o);
  EXPECT_EQ(r.experts, std::vector<int32_t>({2, 3}));
}

TEST(Route, UnderflowedSigmoidsGiveFiniteWeights) {
  TestContext t;
  RouterOptions o;
  o.top_k = 2;
  o.score = RouterScore::kSigmoid;
  o.normalize = true;
  const Routing r = route(t.ctx, row({-200, -200, -200}), {}, o);
  for (const float w : values(r.weights)) EXPECT_TRUE(std::isfinite(w));
}

TEST(Route, NanLogitsStillGiveDistinctExperts) {
  TestContext t;
  RouterOptions o;
  o.top_k = 2;
  const float nan = std::nanf("");
  const Routing r = route(t.ctx, row({nan, nan, nan}), {}, o);
  EXPECT_EQ(r.experts, std::vector<int32_t>({0, 1}));
}

}  // namespace
}  // namespace minke
