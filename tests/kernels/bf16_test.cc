#include <limits>

#include <gtest/gtest.h>

#include "guarded.h"
#include "levels_under_test.h"
#include "math/quant/quant.h"

namespace minke {
namespace {

using RoundTest = KernelsTest;
INSTANTIATE_TEST_SUITE_P(Levels, RoundTest, kEveryLevel, level_name);

// The products, at levels that have them.
class Bf16ProductTest : public KernelsTest {
 protected:
  void SetUp() override {
    KernelsTest::SetUp();
    if (IsSkipped()) return;
    ASSERT_EQ(kernels.dot_bf16 != nullptr, GetParam() >= Isa::kAvx512Bf16);
    ASSERT_EQ(kernels.accumulate_bf16 != nullptr, GetParam() >= Isa::kAvx512Bf16);
    ASSERT_EQ(kernels.round_q8_0 != nullptr, GetParam() >= Isa::kAvx512Bf16);
    if (kernels.dot_bf16 == nullptr) GTEST_SKIP() << "the level has no products of bfloat16";
  }
};
INSTANTIATE_TEST_SUITE_P(Levels, Bf16ProductTest, kEveryLevel, level_name);

std::vector<uint16_t> random_halves(int64_t count, uint32_t seed) {
  std::vector<uint16_t> halves;
  for (const float f : random_floats(count, seed)) halves.push_back(f32_to_bf16(f));
  return halves;
}

// What a result of n products may be off by, in parts of the sum of their magnitudes: two roundings
// of 2^-24 for each of n / 32 steps of a sum, and those of the sums of lanes. An instruction that
// cuts a sum of two products instead of rounding it errs by twice as much.
double dot_bound(int64_t n) {
  return static_cast<double>(2 * (n / 32 + 1) + 8) * 0x1p-23;
}

TEST_P(RoundTest, IsTheNearestAndKeepsNaN) {
  std::vector<float> x = random_floats(1000, 1);
  for (uint32_t high = 0; high < 0x10000; high += 7) {
    for (const uint32_t low : {0u, 1u, 0x7fffu, 0x8000u, 0x8001u, 0xffffu}) {
      x.push_back(std::bit_cast<float>(high << 16 | low));
    }
  }
  for (const float f :
       {0.0f, -0.0f, std::numeric_limits<float>::infinity(),
        -std::numeric_limits<float>::infinity(), std::numeric_limits<float>::max(),
        std::numeric_limits<float>::denorm_min(), std::numeric_limits<float>::quiet_NaN(),
        std::bit_cast<float>(0x7f800001u), std::bit_cast<float>(0xff80ffffu)}) {
    x.push_back(f);
  }
  std::vector<uint16_t> out(x.size());
  kernels.round_bf16(x.data(), static_cast<int64_t>(x.size()), out.data());
  for (size_t i = 0; i < x.size(); ++i) {
    // Zeros in the place of subnormal values are fine.
    if (std::fpclassify(x[i]) == FP_SUBNORMAL && bf16_to_f32(out[i]) == 0) continue;
    ASSERT_TRUE(same_float(bf16_to_f32(out[i]), bf16_to_f32(f32_to_bf16(x[i])))) << x[i];
  }
}

TEST_P(RoundTest, StaysInItsArrays) {
  for (int64_t n = 0; n <= 70; ++n) {
    Guarded<float> x(random_floats(n, 2));
    Guarded<uint16_t> out(n);
    kernels.round_bf16(x.data(), n, out.data());
    for (int64_t i = 0; i < n; ++i) ASSERT_EQ(out[i], f32_to_bf16(x[i])) << n << " at " << i;
  }
}

// Ends of rows are rounded by other instructions than their middles.
TEST_P(RoundTest, AValueDoesNotDependOnItsPlace) {
  for (const uint32_t bits : {0u, 0x80000000u, 1u, 0x80000001u, 0x00008000u, 0x007fffffu,
                              0x807fffffu, 0x00800000u, 0x3f808000u, 0x3f818000u, 0x7f7fffffu,
                              0x7f800000u, 0xff800000u, 0x7f800001u, 0xffffffffu}) {
    const auto value = std::bit_cast<float>(bits);
    uint16_t alone = 0;
    kernels.round_bf16(&value, 1, &alone);
    // A zero that takes the place of a subnormal value has its sign.
    if (!std::isnan(value)) {
      EXPECT_EQ(uint32_t{alone} >> 15, bits >> 31) << std::hex << bits;
    }
    for (const int64_t n : {15, 16, 17, 31, 32, 33, 64, 70}) {
      const std::vector<float> x(static_cast<size_t>(n), value);
      Guarded<uint16_t> out(n);
      kernels.round_bf16(x.data(), n, out.data());
      for (int64_t i = 0; i < n; ++i) {
        ASSERT_EQ(out[i], alone) << std::hex << bits << std::dec << " at " << i << " of " << n;
      }
    }
  }
}

TEST_P(Bf16ProductTest, RoundsBlocksOfEightBitsAsTheyAreUnpacked) {
  constexpr int64_t kRows = 3, kGap = 5;
  for (const int64_t n : {32, 64, 96, 576}) {
    const int64_t bytes = n / 32 * 34, stride = bytes + kGap;
    Guarded<uint8_t> rows((kRows - 1) * stride + bytes);
    const auto x = random_floats(kRows * n, 7);
    for (int64_t r = 0; r < kRows; ++r) {
      encode_row(DType::kQ8_0, x.data() + r * n, n, rows.data() + r * stride);
    }
    rows[stride + 1] = 0x7e;  // a scale that is NaN
    Guarded<uint16_t> out(kRows * n);
    kernels.round_q8_0(rows.data(), stride, kRows, n, out.data());
    std::vector<float> floats(static_cast<size_t>(n));
    std::vector<uint16_t> expected(floats.size());
    for (int64_t r = 0; r < kRows; ++r) {
      const auto type = static_cast<size_t>(DType::kQ8_0);
      kernels.unpack_f32[type](rows.data() + r * stride, n, floats.data());
      kernels.round_bf16(floats.data(), n, expected.data());
      for (int64_t i = 0; i < n; ++i) {
        ASSERT_TRUE(
            same_float(bf16_to_f32(out[r * n + i]), bf16_to_f32(expected[static_cast<size_t>(i)])))
            << n << ": " << r << " " << i;
      }
    }
  }
}

TEST_P(Bf16ProductTest, DotIsTheProduct) {
  for (const int64_t n : {0, 1, 2, 7, 31, 32, 33, 48, 63, 64, 65, 100, 128, 192, 576, 577}) {
    const int64_t rows = 7, m_count = 6, w_stride = n + 3, x_stride = n + 5, out_stride = 9;
    Guarded<uint16_t> w(random_halves((rows - 1) * w_stride + n, 1));
    Guarded<uint16_t> x(random_halves((m_count - 1) * x_stride + n, 2));
    Guarded<float> out((m_count - 1) * out_stride + rows);
    const float untouched = out[0];
    kernels.dot_bf16(w.data(), w_stride, rows, x.data(), x_stride, m_count, n, out.data(),
                     out_stride);
    for (int64_t at = 0; at < out.size(); ++at) {
      const int64_t m = at / out_stride, r = at % out_stride;
      if (r >= rows) {
        EXPECT_TRUE(same_float(out[at], untouched)) << "written between rows";
        continue;
      }
      double expected = 0, magnitude = 0;
      for (int64_t i = 0; i < n; ++i) {
        const double product =
            double{bf16_to_f32(w[r * w_stride + i])} * bf16_to_f32(x[m * x_stride + i]);
        expected += product;
        magnitude += std::abs(product);
      }
      EXPECT_NEAR(out[at], expected, magnitude * dot_bound(n)) << n << ": " << m << " " << r;
    }
  }
}

TEST_P(Bf16ProductTest, DotDoesNotDependOnNeighbours) {
  constexpr int64_t kRows = 11, kCount = 9;
  for (const int64_t n : {5, 64, 81, 576}) {
    const auto w = random_halves(kRows * n, 3);
    const auto x = random_halves(kCount * n, 4);
    std::vector<float> whole(kRows * kCount);
    kernels.dot_bf16(w.data(), n, kRows, x.data(), n, kCount, n, whole.data(), kRows);
    for (int64_t rows = 1; rows <= kRows; ++rows) {
      for (int64_t m_count = 1; m_count <= kCount; ++m_count) {
        const int64_t r0 = kRows - rows, m0 = kCount - m_count;
        std::vector<float> part(static_cast<size_t>(rows * m_count));
        kernels.dot_bf16(w.data() + r0 * n, n, rows, x.data() + m0 * n, n, m_count, n, part.data(),
                         rows);
        for (int64_t m = 0; m < m_count; ++m) {
          for (int64_t r = 0; r < rows; ++r) {
            ASSERT_TRUE(same_float(part[static_cast<size_t>(m * rows + r)],
                                   whole[static_cast<size_t>((m0 + m) * kRows + r0 + r)]))
                << n << ": " << rows << " x " << m_count << " at " << r << " " << m;
          }
        }
      }
    }
  }
}

TEST_P(Bf16ProductTest, AccumulateAddsWeightedRows) {
  for (const int64_t n : {1, 8, 15, 16, 31, 32, 33, 63, 64, 65, 130, 512}) {
    for (const int64_t rows : {0, 1, 2, 3, 64, 127, 128, 129, 255}) {
      const int64_t m_count = 7, p_stride = rows + 3, v_stride = n + 3, out_stride = n + 1;
      Guarded<uint16_t> p(random_halves((m_count - 1) * p_stride + rows, 5));
      Guarded<uint16_t> v(random_halves(rows == 0 ? 0 : (rows - 1) * v_stride + n, 6));
      const auto start = random_floats((m_count - 1) * out_stride + n, 7);
      Guarded<float> out(start);
      kernels.accumulate_bf16(p.data(), p_stride, m_count, v.data(), v_stride, rows, n, out.data(),
                              out_stride);
      for (int64_t at = 0; at < out.size(); ++at) {
        const int64_t m = at / out_stride, i = at % out_stride;
        const float before = start[static_cast<size_t>(at)];
        if (i >= n) {
          ASSERT_TRUE(same_float(out[at], before)) << "written between rows";
          continue;
        }
        double expected = before, magnitude = std::abs(before);
        for (int64_t r = 0; r < rows; ++r) {
          const double product =
              double{bf16_to_f32(p[m * p_stride + r])} * bf16_to_f32(v[r * v_stride + i]);
          expected += product;
          magnitude += std::abs(product);
        }
        // Each pair of rows takes two roundings at most, of sums that stay below `magnitude`.
        const double bound = magnitude * static_cast<double>(rows + 1) * 0x1p-23;
        ASSERT_NEAR(out[at], expected, bound) << n << " " << rows << " at " << m << " " << i;
      }
    }
  }
}

TEST_P(Bf16ProductTest, AccumulateDoesNotDependOnOtherRowsAndColumns) {
  constexpr int64_t kCount = 9, kColumns = 150;
  for (const int64_t rows : {1, 5, 128, 201}) {
    const auto p = random_halves(kCount * rows, 8);
    const auto v = random_halves(rows * kColumns, 9);
    std::vector<float> whole(kCount * kColumns);
    kernels.accumulate_bf16(p.data(), rows, kCount, v.data(), kColumns, rows, kColumns,
                            whole.data(), kColumns);
    for (int64_t m_count = 1; m_count <= kCount; ++m_count) {
      for (const int64_t first : {0, 1, 37, 64, 149}) {
        const int64_t m0 = kCount - m_count, n = kColumns - first;
        std::vector<float> part(static_cast<size_t>(m_count * n));
        kernels.accumulate_bf16(p.data() + m0 * rows, rows, m_count, v.data() + first, kColumns,
                                rows, n, part.data(), n);
        for (int64_t at = 0; at < m_count * n; ++at) {
          ASSERT_TRUE(
              same_float(part[static_cast<size_t>(at)],
                         whole[static_cast<size_t>((m0 + at / n) * kColumns + first + at % n)]))
              << rows << ": " << m_count << " from " << first << " at " << at;
        }
      }
    }
  }
}

// Keys that a query does not see have weight 0: they change nothing, whether they are added or not.
TEST_P(Bf16ProductTest, RowsOfWeightZeroChangeNothing) {
  constexpr int64_t kRows = 40, kColumns = 70;
  const auto v = random_halves(kRows * kColumns, 10);
  for (int64_t seen = 0; seen <= kRows; ++seen) {
    auto p = random_halves(kRows, 11);
    std::fill(p.begin() + seen, p.end(), uint16_t{0});
    std::vector<float> all(kColumns), some(kColumns);
    kernels.accumulate_bf16(p.data(), kRows, 1, v.data(), kColumns, kRows, kColumns, all.data(),
                            kColumns);
    kernels.accumulate_bf16(p.data(), kRows, 1, v.data(), kColumns, seen, kColumns, some.data(),
                            kColumns);
    for (size_t i = 0; i < all.size(); ++i) ASSERT_TRUE(same_float(all[i], some[i])) << seen;
  }
}

// 16 lanes of two products meet no rounding here, so that every order gives the exact sum.
TEST_P(Bf16ProductTest, SmallWholeNumbersAreExact) {
  constexpr int64_t kCount = 200;
  std::vector<uint16_t> a, b;
  int64_t expected = 0;
  for (int64_t i = 0; i < kCount; ++i) {
    const int64_t x = i * 37 % 255 - 127, y = i * 91 % 255 - 127;
    a.push_back(f32_to_bf16(static_cast<float>(x)));
    b.push_back(f32_to_bf16(static_cast<float>(y)));
    expected += x * y;
  }
  float dot = 0, sum = 0;
  kernels.dot_bf16(a.data(), kCount, 1, b.data(), kCount, 1, kCount, &dot, 1);
  kernels.accumulate_bf16(a.data(), kCount, 1, b.data(), 1, kCount, 1, &sum, 1);
  EXPECT_EQ(dot, static_cast<float>(expected));
  EXPECT_EQ(sum, static_cast<float>(expected));
}

}  // namespace
}  // namespace minke
