#include <limits>

#include <gtest/gtest.h>

#include "guarded.h"
#include "levels_under_test.h"
#include "math/quant/quant.h"

namespace minke {
namespace {

constexpr int64_t kBlock = 32, kBlockBytes = 34;

// Levels from avx512 on; others have none of these entries.
class LatentsTest : public KernelsTest {
 protected:
  void SetUp() override {
    KernelsTest::SetUp();
    if (IsSkipped()) return;
    const bool has = kernels.dot_latents != nullptr;
    ASSERT_EQ(has, GetParam() >= Isa::kAvx512);
    ASSERT_EQ(has, kernels.quantize_queries != nullptr);
    ASSERT_EQ(has, kernels.quantize_weights != nullptr);
    ASSERT_EQ(has, kernels.accumulate_latents != nullptr);
    if (!has) GTEST_SKIP() << "the level has none of them";
  }
};
INSTANTIATE_TEST_SUITE_P(Levels, LatentsTest, kEveryLevel, level_name);

struct Shape {
  int64_t count, n, latent, m_count;
};
const Shape kShapes[] = {{1, 64, 32, 1},     {3, 96, 96, 2},    {17, 96, 64, 4},
                         {31, 160, 128, 7},  {64, 192, 160, 8}, {100, 256, 224, 9},
                         {256, 576, 512, 16}};

// Rows of Q8_0 with random codes and one scale for each of their two parts.
struct Latents {
  explicit Latents(const Shape& s, int64_t gap = 6)
      : shape(s),
        stride(s.n / kBlock * kBlockBytes + gap),
        bytes((s.count - 1) * stride + stride - gap) {
    std::mt19937 random(11);
    for (int64_t r = 0; r < s.count; ++r) {
      const uint16_t scales[2] = {f32_to_f16(0.001f * static_cast<float>(1 + random() % 50)),
                                  f32_to_f16(0.01f * static_cast<float>(1 + random() % 50))};
      for (int64_t i = 0; i < s.n; i += kBlock) {
        uint8_t* block = bytes.data() + r * stride + i / kBlock * kBlockBytes;
        std::memcpy(block, &scales[i >= s.latent], sizeof scales[0]);
        for (int64_t j = 0; j < kBlock; ++j) {
          block[2 + j] = static_cast<uint8_t>(static_cast<int>(random() % 255) - 127);
        }
      }
    }
  }
  LatentRows rows() const { return {bytes.data(), stride, shape.count, shape.n, shape.latent}; }
  int code(int64_t r, int64_t i) const {
    return static_cast<int8_t>(bytes[r * stride + i / kBlock * kBlockBytes + 2 + i % kBlock]);
  }
  float scale(int64_t r, int64_t i) const {
    uint16_t half;
    std::memcpy(&half, bytes.data() + r * stride + i / kBlock * kBlockBytes, sizeof half);
    return f16_to_f32(half);
  }

  Shape shape;
  int64_t stride;
  Guarded<uint8_t> bytes;
};

struct Queries {
  Queries(const Shape& s, const Kernels& k, const std::vector<float>& values, int64_t stride)
      : shape(s),
        tiles((s.m_count + kQueryTile - 1) / kQueryTile),
        q(tiles * s.n * kQueryTile),
        scale(tiles * query_blocks(s.n, s.latent) * kQueryTile),
        bias(scale.size()) {
    const auto count = static_cast<size_t>((s.m_count - 1) * stride + s.n);
    Guarded<float> x(std::vector<float>(values.begin(), values.begin() + static_cast<long>(count)));
    k.quantize_queries(x.data(), stride, s.m_count, s.n, s.latent, quantized());
  }
  QuantizedQueries quantized() { return {q.data(), scale.data(), bias.data()}; }
  int code(int64_t m, int64_t i) const {
    return q[((m / kQueryTile * shape.n / 4 + i / 4) * kQueryTile + m % kQueryTile) * 4 + i % 4];
  }
  int64_t at(int64_t m, int64_t block) const {
    return (m / kQueryTile * query_blocks(shape.n, shape.latent) + block) * kQueryTile +
           m % kQueryTile;
  }

  Shape shape;
  int64_t tiles;
  Guarded<int8_t> q;
  Guarded<float> scale;
  Guarded<int32_t> bias;
};

// Where the blocks of a query row begin, and its end.
std::vector<int64_t> block_bounds(const Shape& s) {
  std::vector<int64_t> bounds;
  for (int64_t i = 0; i < s.latent; i += kQueryBlock) bounds.push_back(i);
  for (int64_t i = s.latent; i < s.n; i += kQueryBlock) bounds.push_back(i);
  bounds.push_back(s.n);
  return bounds;
}

TEST_P(LatentsTest, QueriesAreQuantizedInBlocks) {
  for (const Shape& s : kShapes) {
    const int64_t stride = s.n + 3;
    std::vector<float> x = random_floats(s.m_count * stride, 5);
    x[1] = 40;  // costs its own block alone
    const Queries queries(s, kernels, x, stride);
    const auto bounds = block_bounds(s);
    for (int64_t m = 0; m < queries.tiles * kQueryTile; ++m) {
      for (size_t b = 0; b + 1 < bounds.size(); ++b) {
        const int64_t at = queries.at(m, static_cast<int64_t>(b));
        float largest = 0;
        if (m < s.m_count) {
          for (int64_t i = bounds[b]; i < bounds[b + 1]; ++i) {
            largest = std::max(largest, std::abs(x[static_cast<size_t>(m * stride + i)]));
          }
        }
        ASSERT_EQ(queries.scale[at], largest / 127.0f);
        int sum = 0;
        for (int64_t i = bounds[b]; i < bounds[b + 1]; ++i) {
          const int code = queries.code(m, i);
          sum += code;
          if (m >= s.m_count) {
            ASSERT_EQ(code, 0) << "a row that is missing";
            continue;
          }
          const float value = x[static_cast<size_t>(m * stride + i)];
          ASSERT_EQ(code, static_cast<int>(std::nearbyint(value * (127.0f / largest))));
        }
        ASSERT_EQ(queries.bias[at], -128 * sum);
      }
    }
  }
}

TEST_P(LatentsTest, QueriesThatAreTinyOrNotFinite) {
  const Shape s = {1, 160, 128, 3};
  std::vector<float> x(static_cast<size_t>(s.m_count * s.n), 0x1p-101f);
  x[static_cast<size_t>(s.n) + 130] = std::numeric_limits<float>::quiet_NaN();
  x[static_cast<size_t>(2 * s.n) + 7] = -std::numeric_limits<float>::infinity();
  const Queries queries(s, kernels, x, s.n);
  EXPECT_EQ(queries.scale[queries.at(0, 0)], 0);
  EXPECT_EQ(queries.scale[queries.at(1, 0)], 0);
  EXPECT_TRUE(std::isnan(queries.scale[queries.at(1, 1)]));
  EXPECT_TRUE(std::isnan(queries.scale[queries.at(2, 0)]));
  for (int64_t m = 0; m < 3; ++m) {
    for (int64_t i = 0; i < s.n; ++i) EXPECT_EQ(queries.code(m, i), 0);
  }
}

TEST_P(LatentsTest, DotIsTheProductBlockByBlock) {
  for (const Shape& s : kShapes) {
    const Latents latents(s);
    Queries queries(s, kernels, random_floats(s.m_count * s.n, 6), s.n);
    const int64_t out_stride = s.count + 2;
    Guarded<float> out((s.m_count - 1) * out_stride + s.count);
    const float untouched = out[0];
    kernels.dot_latents(latents.rows(), queries.quantized(), s.m_count, out.data(), out_stride);
    const auto bounds = block_bounds(s);
    for (int64_t at = 0; at < out.size(); ++at) {
      const int64_t m = at / out_stride, r = at % out_stride;
      if (r >= s.count) {
        ASSERT_TRUE(same_float(out[at], untouched)) << "written between rows";
        continue;
      }
      float expected = 0;
      for (size_t b = 0; b + 1 < bounds.size(); ++b) {
        int sum = 0;
        for (int64_t i = bounds[b]; i < bounds[b + 1]; ++i) {
          sum += latents.code(r, i) * queries.code(m, i);
        }
        expected = std::fma(static_cast<float>(sum) * latents.scale(r, bounds[b]),
                            queries.scale[queries.at(m, static_cast<int64_t>(b))], expected);
      }
      ASSERT_EQ(out[at], expected) << s.count << " x " << s.n << ": " << m << " " << r;
    }
  }
}

struct Weights {
  Weights(const Latents& latents, const Kernels& k, const std::vector<float>& values,
          int64_t stride)
      : shape(latents.shape),
        quads(weight_bytes(shape.count) / 4),
        q((shape.m_count + kWeightTile - 1) / kWeightTile * kWeightTile * quads * 4),
        scale(shape.m_count) {
    const auto count = static_cast<size_t>((shape.m_count - 1) * stride + shape.count);
    Guarded<float> p(std::vector<float>(values.begin(), values.begin() + static_cast<long>(count)));
    k.quantize_weights(p.data(), stride, shape.m_count, latents.rows(), quantized());
  }
  QuantizedWeights quantized() { return {q.data(), scale.data()}; }
  int code(int64_t m, int64_t r) const {
    return q[((m / kWeightTile * quads + r / 4) * kWeightTile + m % kWeightTile) * 4 + r % 4];
  }

  Shape shape;
  int64_t quads;
  Guarded<uint8_t> q;
  Guarded<float> scale;
};

std::vector<float> softmax_weights(int64_t count, uint32_t seed) {
  std::vector<float> p = random_floats(count, seed);
  for (float& x : p) x = std::exp(4 * x - 8);
  return p;
}

TEST_P(LatentsTest, WeightsKeepWhatRoundingLeaves) {
  for (const Shape& s : kShapes) {
    const Latents latents(s);
    std::vector<float> p = softmax_weights(s.m_count * kMostLatentRows, 7);
    p[1] = 0;
    const Weights weights(latents, kernels, p, kMostLatentRows);
    for (int64_t m = 0; m < s.m_count; ++m) {
      const auto scaled = [&](int64_t r) {
        return p[static_cast<size_t>(m * kMostLatentRows + r)] * latents.scale(r, 0);
      };
      float largest = 0;
      for (int64_t r = 0; r < s.count; ++r) largest = std::max(largest, scaled(r));
      ASSERT_EQ(weights.scale[m], largest / 255.0f);
      for (int64_t lane = 0; lane < 16; ++lane) {
        float rest = 0;
        for (int64_t r = lane; r < weights.quads * 4; r += 16) {
          if (r >= s.count) {
            ASSERT_EQ(weights.code(m, r), 0) << "a latent that is missing";
            continue;
          }
          const float wanted = std::fma(scaled(r), 255.0f / largest, rest);
          const float code = scaled(r) > 0 ? std::min(std::nearbyint(wanted), 255.0f) : 0.0f;
          ASSERT_EQ(static_cast<float>(weights.code(m, r)), code) << m << " " << r;
          rest = wanted - code;
        }
        // No more than half a step of a lane is lost.
        EXPECT_LE(std::abs(rest), 0.51f);
      }
    }
  }
}

TEST_P(LatentsTest, ManySmallWeightsAreNotLostBesideALargeOne) {
  const Shape s = {256, 64, 32, 1};
  Latents latents(s);
  const uint16_t one = f32_to_f16(1.0f);
  for (int64_t r = 0; r < s.count; ++r) {
    std::memcpy(latents.bytes.data() + r * latents.stride, &one, sizeof one);
  }
  std::vector<float> p(256, 0.1f / 255);
  p[100] = 0.9f;
  const Weights weights(latents, kernels, p, 256);
  int small = 0;
  for (int64_t r = 0; r < 256; ++r) small += r == 100 ? 0 : weights.code(0, r);
  EXPECT_NEAR(static_cast<float>(small) * weights.scale[0], 0.1f, 0.03f);
}

TEST_P(LatentsTest, WeightsOfNothingAndOfNaN) {
  const Shape s = {20, 64, 32, 3};
  const Latents latents(s);
  std::vector<float> p(3 * 20, 0.0f);
  p[25] = std::numeric_limits<float>::quiet_NaN();
  p[26] = 1;
  p[47] = 0x1p-101f;
  const Weights weights(latents, kernels, p, 20);
  EXPECT_EQ(weights.scale[0], 0);
  EXPECT_TRUE(std::isnan(weights.scale[1]));
  for (int64_t m = 0; m < kWeightTile; ++m) {
    for (int64_t r = 0; r < 20; ++r) EXPECT_EQ(weights.code(m, r), 0) << m << " " << r;
  }
}

// What a row does not see must not change it, even if it stands in the same lane as its largest
// weight.
TEST_P(LatentsTest, ALatentOfNaNCountsOnlyWhereItHasAWeight) {
  const Shape s = {40, 64, 32, 2};
  Latents latents(s);
  std::vector<float> p = softmax_weights(2 * 40, 12);
  p[7] = 5;  // in the lane of latent 23, which row 0 does not see
  p[23] = 0;
  const Weights before(latents, kernels, p, 40);
  const uint16_t nan = 0x7e00;
  std::memcpy(latents.bytes.data() + 23 * latents.stride, &nan, sizeof nan);
  const Weights after(latents, kernels, p, 40);
  EXPECT_EQ(after.scale[0], before.scale[0]);
  for (int64_t r = 0; r < 40; ++r) EXPECT_EQ(after.code(0, r), before.code(0, r)) << r;
  EXPECT_TRUE(std::isnan(after.scale[1]));

  Queries queries(s, kernels, random_floats(2 * s.n, 13), s.n);
  Guarded<float> scores(2 * 40);
  kernels.dot_latents(latents.rows(), queries.quantized(), 2, scores.data(), 40);
  for (int64_t at = 0; at < scores.size(); ++at) {
    EXPECT_EQ(std::isnan(scores[at]), at % 40 == 23) << at;
  }
}

// The largest sums there are, still exact.
TEST_P(LatentsTest, ExtremesDoNotOverflow) {
  const Shape s = {256, 160, 128, 1};
  Latents latents(s);
  const uint16_t one = f32_to_f16(1.0f);
  for (int64_t r = 0; r < s.count; ++r) {
    for (int64_t i = 0; i < s.n; i += kBlock) {
      uint8_t* block = latents.bytes.data() + r * latents.stride + i / kBlock * kBlockBytes;
      std::memcpy(block, &one, sizeof one);
      std::memset(block + 2, r % 2 == 0 ? 0x80 : 0x7f, kBlock);  // -128, 127
    }
  }
  Queries queries(s, kernels, std::vector<float>(static_cast<size_t>(s.n), 127.0f), s.n);
  Guarded<float> scores(256);
  kernels.dot_latents(latents.rows(), queries.quantized(), 1, scores.data(), 256);
  for (int64_t r = 0; r < 256; ++r) {
    ASSERT_EQ(scores[r], static_cast<float>((r % 2 == 0 ? -128 : 127) * 127 * s.n)) << r;
  }
  std::vector<float> p(256);
  for (size_t r = 0; r < 256; ++r) p[r] = r % 2 == 0 ? 255.0f : 0.0f;
  Weights weights(latents, kernels, p, 256);
  Guarded<float> out(s.latent);
  std::fill_n(out.data(), s.latent, 0.0f);
  kernels.accumulate_latents(weights.quantized(), 1, latents.rows(), out.data(), s.latent);
  for (int64_t i = 0; i < s.latent; ++i) ASSERT_EQ(out[i], -128.0f * 255 * 128) << i;
}

TEST_P(LatentsTest, AccumulateAddsTheExactSums) {
  for (const Shape& s : kShapes) {
    const Latents latents(s);
    Weights weights(latents, kernels, softmax_weights(s.m_count * s.count, 8), s.count);
    const int64_t out_stride = s.latent + 1;
    Guarded<float> out(random_floats((s.m_count - 1) * out_stride + s.latent, 9));
    const std::vector<float> before(out.data(), out.data() + out.size());
    kernels.accumulate_latents(weights.quantized(), s.m_count, latents.rows(), out.data(),
                               out_stride);
    for (int64_t at = 0; at < out.size(); ++at) {
      const int64_t m = at / out_stride, i = at % out_stride;
      float expected = before[static_cast<size_t>(at)];
      if (i < s.latent) {
        int sum = 0;
        for (int64_t r = 0; r < s.count; ++r) sum += weights.code(m, r) * latents.code(r, i);
        expected = std::fma(static_cast<float>(sum), weights.scale[m], expected);
      }
      ASSERT_EQ(out[at], expected) << s.count << " x " << s.latent << ": " << m << " " << i;
    }
  }
}

}  // namespace
}  // namespace minke
