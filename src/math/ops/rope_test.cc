#include <cmath>

#include <gtest/gtest.h>

#include "math/ops/test_context.h"

namespace minke {
namespace {

TEST(Rope, KeepsNormsAndDependsOnDistanceOnly) {
  TestContext t;
  const std::vector<double> freqs = {1.0, 0.1, 0.01};
  const Tensor q = random_tensor({1, 8}, 1), k = random_tensor({1, 8}, 2);
  for (const RopeLayout layout : {RopeLayout::kInterleaved, RopeLayout::kHalfSplit}) {
    const auto score = [&](int32_t pq, int32_t pk) {
      const Tensor a = rope(t.ctx, q, 8, rope_angles(t.ctx, {&pq, 1}, freqs, 1), layout);
      const Tensor b = rope(t.ctx, k, 8, rope_angles(t.ctx, {&pk, 1}, freqs, 1), layout);
      EXPECT_EQ(a.f32()[0], q.f32()[0]);  // the two values before the rotated ones stay
      EXPECT_EQ(a.f32()[1], q.f32()[1]);
      double sum = 0;
      for (int i = 0; i < 8; ++i) sum += static_cast<double>(a.f32()[i]) * b.f32()[i];
      return sum;
    };
    EXPECT_NEAR(score(5, 3), score(105, 103), 1e-5);
    EXPECT_GT(std::abs(score(5, 3) - score(5, 4)), 1e-3);
  }
}

TEST(Rope, LayoutsDifferByAPermutation) {
  TestContext t;
  const std::vector<double> freqs = {1.0, 0.1, 0.01};
  const int32_t position = 9;
  const RopeAngles angles = rope_angles(t.ctx, {&position, 1}, freqs, 1);
  const Tensor split = random_tensor({1, 6}, 1);
  Tensor interleaved = Tensor::zeros(DType::kF32, {1, 6});
  for (int i = 0; i < 6; ++i) interleaved.f32()[2 * (i % 3) + i / 3] = split.f32()[i];
  const Tensor a = rope(t.ctx, split, 6, angles, RopeLayout::kHalfSplit);
  const Tensor b = rope(t.ctx, interleaved, 6, angles, RopeLayout::kInterleaved);
  for (int i = 0; i < 6; ++i) EXPECT_EQ(a.f32()[i], b.f32()[2 * (i % 3) + i / 3]);
}

}  // namespace
}  // namespace minke
