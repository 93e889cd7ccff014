#include <cmath>

#include <gtest/gtest.h>

#include "math/ops/matmul.h"
#include "math/ops/test_context.h"

namespace minke {
namespace {

// Weight types with the row length to test them with: a whole number of blocks, but no whole number
// of the kernels' runs of 256.
struct Case {
  DType type;
  int64_t columns;
};
const Case kCases[] = {
    {DType::kF32, 75},   {DType::kF16, 75},   {DType::kBF16, 75},   {DType::kF8E4M3, 75},
    {DType::kQ4_0, 96},  {DType::kQ4_1, 96},  {DType::kQ5_0, 96},   {DType::kQ5_1, 96},
    {DType::kQ8_0, 96},  {DType::kQ2_K, 768}, {DType::kQ3_K, 768},  {DType::kQ4_K, 768},
    {DType::kQ5_K, 768}, {DType::kQ6_K, 768}, {DType::kIQ4_NL, 96}, {DType::kIQ4_XS, 768},
    {DType::kMXFP4, 96},
};

TEST(Linear, MatchesADoubleProductOfTheDecodedWeights) {
  TestContext t;
  for (const Case& c : kCases) {
    const Tensor w = encode_tensor(random_tensor({37, c.columns}, 1), c.type);
    Tensor x = random_tensor({5, c.columns}, 2);
    const Tensor y = linear(t.ctx, x, w);
    if (c.type == DType::kBF16 && t.kernels.dot_bf16 != nullptr) {
      x = decode_tensor(encode_tensor(x, DType::kBF16));  // as the product rounds it
    }
    const Tensor decoded = decode_tensor(w);
    for (int64_t m = 0; m < 5; ++m) {
      for (int64_t n = 0; n < 37; ++n) {
        double sum = 0, norm = 0;
        for (int64_t k = 0; k < c.columns; ++k) {
          const double p =
              static_cast<double>(x.f32()[m * c.columns + k]) * decoded.f32()[n * c.columns + k];
          sum += p;
          norm += p * p;
        }
        // Rounding activations to 8 bits errs by at most 0.5/127 of a block's largest, about 3
        // deviations: 1 % of each product, with random sign.
        const double bound = is_quantized(c.type) ? 0.05 * std::sqrt(norm) : 1e-4;
        EXPECT_NEAR(y.f32()[m * 37 + n], sum, bound) << dtype_name(c.type);
      }
    }
  }
}

TEST(Linear, ARowDoesNotDependOnItsCompanionsOrOnThreads) {
  constexpr int64_t kRows = 9;  // more than product_few is given at once
  for (const Isa isa : kIsaLevels) {
    if (!machine_has(isa)) continue;
    for (const Phase phase : {Phase::kPrefill, Phase::kDecode}) {
      TestContext one(1, isa), two(2, isa);
      one.ctx.set_phase(phase);
      two.ctx.set_phase(phase);
      for (const Case& c : kCases) {
        const Tensor w = encode_tensor(random_tensor({50, c.columns}, 1), c.type);
        const Tensor x = random_tensor({kRows, c.columns}, 2);
        const Tensor all = linear(two.ctx, x, w);
        EXPECT_TRUE(same_bits(linear(one.ctx, x, w), all)) << dtype_name(c.type);
        for (int64_t m = 0; m < kRows; ++m) {
          const Tensor alone = linear(two.ctx, x.slice_rows(m, 1), w);
          EXPECT_TRUE(same_bits(alone, all.slice_rows(m, 1))) << dtype_name(c.type);
        }
      }
    }
  }
}

TEST(Linear, AppliesTheBlockScalesOfF8) {
  TestContext t;
  Tensor w = encode_tensor(random_tensor({200, 300}, 1), DType::kF8E4M3);
  const Tensor x = random_tensor({2, 300}, 2);
  const Tensor scales = random_tensor({2, 3}, 3);
  w.block_scales = scales.f32();
  const Tensor plain = decode_tensor(w);
  EXPECT_EQ(plain.f32()[150 * 300 + 270],
            f8e4m3_to_f32(w.data[150 * 300 + 270]) * scales.f32()[1 * 3 + 2]);
  const Tensor a = linear(t.ctx, x, w), b = linear(t.ctx, x, plain);
  for (int64_t i = 0; i < 400; ++i) EXPECT_NEAR(a.f32()[i], b.f32()[i], 1e-4);
}

TEST(Linear, AddsItsBias) {
  TestContext t;
  const Tensor w = random_tensor({3, 4}, 1), x = random_tensor({2, 4}, 2);
  const Tensor bias = random_tensor({3}, 3);
  const Tensor with = linear(t.ctx, x, w, bias), without = linear(t.ctx, x, w);
  for (int64_t i = 0; i < 6; ++i) {
    EXPECT_EQ(with.f32()[i], without.f32()[i] + bias.f32()[i % 3]);
  }
}

TEST(Swiglu, MatchesItsParts) {
  TestContext t;
  for (const DType type : {DType::kF32, DType::kQ4_0}) {
    const Tensor gate = encode_tensor(random_tensor({21, 64}, 1, 0.1), type);
    const Tensor up = encode_tensor(random_tensor({21, 64}, 2, 0.1), type);
    const Tensor x = random_tensor({6, 64}, 3);
    const Tensor y = swiglu(t.ctx, x, gate, up);
    const Tensor g = linear(t.ctx, x, gate), u = linear(t.ctx, x, up);
    for (int64_t i = 0; i < 6 * 21; ++i) {
      const double z = g.f32()[i];
      EXPECT_NEAR(y.f32()[i], z / (1 + std::exp(-z)) * u.f32()[i], 1e-5);
    }
  }
}

TEST(Embedding, DecodesTheRowsOfTheTokens) {
  TestContext t;
  const Tensor table = encode_tensor(random_tensor({10, 64}, 1), DType::kQ8_0);
  const std::vector<int32_t> tokens = {7, 0, 7};
  const Tensor x = embedding(t.ctx, table, tokens);
  const Tensor decoded = decode_tensor(table);
  EXPECT_TRUE(same_bits(x.slice_rows(0, 1), decoded.slice_rows(7, 1)));
  EXPECT_TRUE(same_bits(x.slice_rows(1, 1), decoded.slice_rows(0, 1)));
}

}  // namespace
}  // namespace minke
