#include "learn/train/expert_balance.h"

#include <gtest/gtest.h>

namespace minke {
namespace {

SelectionBias bias_of(int64_t experts) {
  return {"bias", Tensor::zeros(DType::kF32, {experts})};
}

TEST(ExpertBalance, LoadsOfPassesAddUp) {
  std::vector<ExpertLoad> sum;
  add_loads({{nullptr, {1, 2}}, {nullptr, {3, 0}}}, sum);
  add_loads({{nullptr, {4, 0}}, {nullptr, {1, 1}}}, sum);
  EXPECT_EQ(sum[0].tokens, (std::vector<int64_t>{5, 2}));
  EXPECT_EQ(sum[1].tokens, (std::vector<int64_t>{4, 1}));
}

TEST(ExpertBalance, BusiestOverMean) {
  EXPECT_EQ(busiest_over_mean({nullptr, {2, 2, 2, 2}}), 1);
  EXPECT_EQ(busiest_over_mean({nullptr, {0, 8, 0, 0}}), 4);
  EXPECT_EQ(busiest_over_mean({nullptr, {0, 0}}), 0);
}

TEST(ExpertBalance, BiasesMoveAgainstTheLoadOfTheirOwnRouter) {
  std::vector<SelectionBias> biases = {bias_of(3), bias_of(3)};
  const std::vector<ExpertLoad> loads = {{biases[1].values.f32(), {6, 3, 0}}, {nullptr, {9, 0, 0}}};
  update_biases(loads, 0.5, biases);
  for (int e = 0; e < 3; ++e) EXPECT_EQ(biases[0].values.f32()[e], 0);
  EXPECT_EQ(biases[1].values.f32()[0], -0.5f);
  EXPECT_EQ(biases[1].values.f32()[1], 0);
  EXPECT_EQ(biases[1].values.f32()[2], 0.5f);
}

}  // namespace
}  // namespace minke
