#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "math/ops/test_context.h"

namespace minke {
namespace {

TEST(StoredValues, AreReadBackAsTheirTypeHoldsThem) {
  TestContext t(1);
  const Tensor x = random_tensor({37}, 4);
  for (const DType type : {DType::kF32, DType::kBF16}) {
    const Tensor row = stored(x, type);
    std::vector<float> back(37);
    load_values(t.ctx, row.data, 37, type, back.data());
    for (int64_t i = 0; i < 37; ++i) {
      const float v = x.f32()[i];
      EXPECT_EQ(back[static_cast<size_t>(i)],
                type == DType::kF32 ? v : bf16_to_f32(f32_to_bf16(v)));
    }
  }
}

TEST(StoredValues, OfEightBitsAreOffByHalfAStepOfTheirBlock) {
  TestContext t(1);
  const Tensor x = random_tensor({96}, 5);
  x.f32()[40] = 30;  // a large value costs its own block alone
  const Tensor row = stored(x, DType::kQ8_0);
  std::vector<float> back(96);
  load_values(t.ctx, row.data, 96, DType::kQ8_0, back.data());
  for (size_t block = 0; block < 96; block += 32) {
    float largest = 0;
    for (size_t i = block; i < block + 32; ++i) largest = std::max(largest, std::abs(x.f32()[i]));
    for (size_t i = block; i < block + 32; ++i) {
      EXPECT_NEAR(back[i], x.f32()[i], largest * (0.5 / 127 + 0x1p-11)) << i;
    }
  }
}

TEST(StoredValues, OfALatentHaveOneScale) {
  TestContext t(1);
  const Tensor x = random_tensor({96}, 5);
  x.f32()[40] = 30;
  Tensor row = Tensor::zeros(DType::kBF16, {96});  // room for either type
  store_with_one_scale(t.ctx, x.f32(), 96, DType::kQ8_0, row.data);
  std::vector<float> back(96);
  load_values(t.ctx, row.data, 96, DType::kQ8_0, back.data());
  for (size_t i = 0; i < 96; ++i) EXPECT_NEAR(back[i], x.f32()[i], 30 * (0.5 / 127 + 0x1p-11)) << i;
  x.f32()[3] = INFINITY;
  store_with_one_scale(t.ctx, x.f32(), 96, DType::kQ8_0, row.data);
  load_values(t.ctx, row.data, 96, DType::kQ8_0, back.data());
  for (size_t i = 0; i < 96; ++i) EXPECT_TRUE(std::isnan(back[i])) << i;
  store_with_one_scale(t.ctx, x.f32(), 96, DType::kBF16, row.data);
  EXPECT_EQ(std::memcmp(row.data, stored(x, DType::kBF16).data, 96 * sizeof(uint16_t)), 0);
}

TEST(StoredValues, OfOneBlockAreTheSameWithOneScale) {
  TestContext t(1);
  const Tensor x = random_tensor({32}, 8);
  for (int64_t i = 0; i < 32; ++i) x.f32()[i] = std::round(x.f32()[i] * 8) / 16;  // ties
  Tensor row = Tensor::zeros(DType::kQ8_0, {32});
  store_with_one_scale(t.ctx, x.f32(), 32, DType::kQ8_0, row.data);
  EXPECT_TRUE(same_bits(row, stored(x, DType::kQ8_0)));
}

TEST(StoredValues, ThatAreNotFiniteShowInEightBitsToo) {
  TestContext t(1);
  for (const float bad : {INFINITY, -INFINITY, NAN}) {
    const Tensor x = random_tensor({64}, 6);
    x.f32()[33] = bad;
    const Tensor row = stored(x, DType::kQ8_0);
    std::vector<float> back(64);
    load_values(t.ctx, row.data, 64, DType::kQ8_0, back.data());
    EXPECT_TRUE(std::isfinite(back[31]));
    for (size_t i = 32; i < 64; ++i) EXPECT_TRUE(std::isnan(back[i])) << i;
  }
}

}  // namespace
}  // namespace minke
