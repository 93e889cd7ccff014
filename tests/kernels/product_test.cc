#include <array>

#include <gtest/gtest.h>

#include "guarded.h"
#include "levels_under_test.h"
#include "math/tensor/dtype.h"
#include "math/tensor/tensor.h"

// Products of weight rows as they are stored: product_few and product_many.

namespace minke {
namespace {

using ProductTest = KernelsTest;
INSTANTIATE_TEST_SUITE_P(Levels, ProductTest, kEveryLevel, level_name);

constexpr int64_t kColumns[] = {32, 96, 256, 512, 576, 1408, 2048};

// Random bytes whose halves are neither NaN nor infinite, and not so large that sums overflow.
std::vector<uint8_t> stored_rows(DType type, int64_t rows, int64_t n) {
  auto bytes = random_bytes(rows * row_bytes(type, n), static_cast<uint32_t>(type));
  for (auto& b : bytes) b &= 0xbb;
  return bytes;
}

// Calls test(type, n) for every quantized type and row length that its blocks allow.
template <typename Test>
void for_each_row(const Test& test) {
  for (int t = 0; t < kDTypeCount; ++t) {
    const DType type = static_cast<DType>(t);
    if (!is_quantized(type)) continue;
    for (const int64_t n : kColumns) {
      if (n % dtype_info(type).block_elements == 0) test(type, n);
    }
  }
}

std::vector<float> some_floats(int64_t n, int64_t m) {
  return random_floats(n, static_cast<uint32_t>(m + 1));
}

// Activations that are quantized to 127 and -127 alone: all the one, all the other, and in turn.
std::vector<float> extreme_floats(int64_t n, int64_t m) {
  std::vector<float> x(static_cast<size_t>(n), m % 3 == 1 ? -1.0f : 1.0f);
  for (size_t i = 1; m % 3 == 2 && i < x.size(); i += 2) x[i] = -1.0f;
  return x;
}

struct FewActivations {
  FewActivations(const Kernels& k, int64_t n, int64_t m_count,
                 std::vector<float> (*values)(int64_t n, int64_t m) = some_floats)
      : padded(padded_columns(n)),
        q(m_count * padded),
        scale(m_count * padded / kGroup),
        sum(m_count * padded / kGroup),
        bias(m_count * padded / kGroup) {
    for (int64_t m = 0; m < m_count; ++m) {
      const auto x = values(n, m);
      const int64_t g = m * padded / kGroup;
      k.quantize_i8(x.data(), n, q.data() + m * padded, scale.data() + g, sum.data() + g,
                    bias.data() + g);
    }
  }
  QuantizedRows rows(int64_t m) {
    const int64_t g = m * padded / kGroup;
    return {q.data() + m * padded, scale.data() + g, sum.data() + g, bias.data() + g, padded};
  }

  int64_t padded;
  Guarded<int8_t> q;
  Guarded<float> scale, sum;
  Guarded<int32_t> bias;
};

// product_few must give the bits of dot_i8 on unpacked rows.
void expect_few_as_unpacked(const Kernels& k, DType type, int64_t n,
                            const std::vector<uint8_t>& stored, int rows, FewActivations& x,
                            int64_t m_count) {
  const auto t = static_cast<int>(type);
  Guarded<uint8_t> weights(stored);
  const int64_t groups = x.padded / kGroup;
  Guarded<int8_t> q(rows * x.padded);
  Guarded<float> scale(rows * groups), offset(rows * groups);
  for (int64_t r = 0; r < rows; ++r) {
    k.unpack_i8[t](
        weights.data() + r * row_bytes(type, n), n,
        {q.data() + r * x.padded, scale.data() + r * groups, offset.data() + r * groups});
  }
  Guarded<float> expected(m_count * rows), found(m_count * rows);
  k.dot_i8({q.data(), scale.data(), offset.data()}, rows, x.rows(0), m_count, expected.data(),
           rows);
  k.product_few[t](weights.data(), row_bytes(type, n), rows, n, x.rows(0), m_count, found.data(),
                   rows);
  expect_same(found, expected, (std::string(dtype_name(type)) + " few").c_str());
}

TEST_P(ProductTest, FewIsTheProductOfUnpackedRows) {
  constexpr int kRows = 6;
  constexpr int64_t kMost = 9;
  for_each_row([&](DType type, int64_t n) {
    if (kernels.product_few[static_cast<int>(type)] == nullptr) return;
    FewActivations x(kernels, n, kMost);
    for (int64_t m_count = 1; m_count <= kMost; ++m_count) {
      expect_few_as_unpacked(kernels, type, n, stored_rows(type, kRows, n), kRows, x, m_count);
    }
  });
}

struct ManyActivations {
  ManyActivations(const Kernels& k, int64_t n, int64_t m_count,
                  std::vector<float> (*values)(int64_t n, int64_t m) = some_floats)
      : stride(activation_blocks(n)), blocks(m_count * stride) {
    for (int64_t m = 0; m < m_count; ++m) {
      const auto x = values(n, m);
      k.quantize_blocks(x.data(), n, blocks.data() + m * stride);
    }
  }
  float value(int64_t m, int64_t i) {
    const ActivationBlock& b = blocks[m * stride + i / kActivationBlock];
    return b.scale * static_cast<float>(b.q[i % kActivationBlock]);
  }

  int64_t stride;
  Guarded<ActivationBlock> blocks;
};

// Each block brings a few roundings of its own size, and each sum one of the sum so far.
void expect_many_near_exact(const Kernels& k, const Kernels& scalar, DType type, int64_t n,
                            const std::vector<uint8_t>& stored, int rows, ManyActivations& x,
                            int64_t m_count) {
  const auto t = static_cast<int>(type);
  Guarded<uint8_t> weights(stored);
  Guarded<float> out(m_count * rows);
  k.product_many[t](weights.data(), row_bytes(type, n), rows, n, x.blocks.data(), x.stride, m_count,
                    out.data(), rows);
  std::vector<float> w(static_cast<size_t>(n));
  for (int64_t r = 0; r < rows; ++r) {
    scalar.unpack_f32[t](weights.data() + r * row_bytes(type, n), n, w.data());
    for (int64_t m = 0; m < m_count; ++m) {
      double exact = 0, magnitude = 0;
      for (int64_t i = 0; i < n; ++i) {
        const double term = double{w[static_cast<size_t>(i)]} * x.value(m, i);
        exact += term;
        magnitude += std::abs(term);
      }
      ASSERT_NEAR(out[m * rows + r], exact, magnitude * 4e-6 + 1e-30)
          << dtype_name(type) << ", " << n << " columns, row " << r << ", activation " << m;
    }
  }
}

TEST_P(ProductTest, ManyIsTheProduct) {
  constexpr int kRows = 35;
  constexpr int64_t kMCount = 7;
  for_each_row([&](DType type, int64_t n) {
    if (kernels.product_many[static_cast<int>(type)] == nullptr) return;
    ManyActivations x(kernels, n, kMCount);
    expect_many_near_exact(kernels, scalar, type, n, stored_rows(type, kRows, n), kRows, x,
                           kMCount);
  });
}

// Where the float16 scales and offsets of a block stand; -1 for none. MXFP4 has an exponent.
std::array<int64_t, 2> halves_of(DType type) {
  switch (type) {
    case DType::kQ4_1:
    case DType::kQ5_1:
    case DType::kQ4_K:
    case DType::kQ5_K:
      return {0, 2};
    case DType::kQ2_K:
      return {80, 82};
    case DType::kQ3_K:
      return {108, -1};
    case DType::kQ6_K:
      return {208, -1};
    case DType::kQ4_0:
    case DType::kQ5_0:
    case DType::kQ8_0:
    case DType::kIQ4_NL:
    case DType::kIQ4_XS:
      return {0, -1};
    default:  // MXFP4 has exponents instead
      EXPECT_EQ(type, DType::kMXFP4) << "where are the halves of " << dtype_name(type) << "?";
      return {-1, -1};
  }
}

// Rows of blocks filled with one byte, and with scales and offsets of 1.
std::vector<uint8_t> filled_rows(DType type, int64_t rows, int64_t n, uint8_t fill) {
  const auto& info = dtype_info(type);
  std::vector<uint8_t> bytes(static_cast<size_t>(rows * row_bytes(type, n)), fill);
  const auto block = static_cast<size_t>(row_bytes(type, info.block_elements));
  for (size_t b = 0; b < bytes.size(); b += block) {
    if (type == DType::kMXFP4) bytes[b] = 128;
    for (const int64_t at : halves_of(type)) {
      if (at < 0) continue;
      bytes[b + static_cast<size_t>(at)] = 0;
      bytes[b + static_cast<size_t>(at) + 1] = 0x3c;
    }
  }
  return bytes;
}

// The largest codes with the largest activations: sums that overflow would show here.
TEST_P(ProductTest, ExtremeCodesDoNotOverflow) {
  constexpr int kRows = 5;
  constexpr int64_t kMCount = 6;
  for_each_row([&](DType type, int64_t n) {
    const auto t = static_cast<int>(type);
    // Codes 0, 15, 7, 8 of four bits; 0, -1, 127, -128 of eight.
    for (const uint8_t fill : {0x00, 0xff, 0x7f, 0x80, 0x77, 0x88}) {
      const auto stored = filled_rows(type, kRows, n, fill);
      if (kernels.product_few[t] != nullptr) {
        FewActivations x(kernels, n, kMCount, extreme_floats);
        expect_few_as_unpacked(kernels, type, n, stored, kRows, x, kMCount);
      }
      if (kernels.product_many[t] != nullptr) {
        ManyActivations x(kernels, n, kMCount, extreme_floats);
        expect_many_near_exact(kernels, scalar, type, n, stored, kRows, x, kMCount);
      }
    }
  });
}

// The number of rows on either side, and what stands beside them, changes no bit.
TEST_P(ProductTest, ManyDependsOnItsTwoRowsAlone) {
  constexpr int kRows = 67;
  constexpr int64_t kMCount = 9;
  for_each_row([&](DType type, int64_t n) {
    const auto t = static_cast<int>(type);
    const int64_t stride = row_bytes(type, n);
    Guarded<uint8_t> weights(stored_rows(type, kRows, n));
    ManyActivations x(kernels, n, kMCount);
    Guarded<float> whole(kMCount * kRows);
    kernels.product_many[t](weights.data(), stride, kRows, n, x.blocks.data(), x.stride, kMCount,
                            whole.data(), kRows);
    for (const int rows : {1, 15, 16, 17, 32, 33}) {
      for (const int64_t m_count : {1, 2, 3, 4, 6}) {
        const int first = kRows - rows;
        const int64_t first_m = kMCount - m_count;
        Guarded<float> part(m_count * rows);
        kernels.product_many[t](weights.data() + first * stride, stride, rows, n,
                                x.blocks.data() + first_m * x.stride, x.stride, m_count,
                                part.data(), rows);
        for (int64_t m = 0; m < m_count; ++m) {
          for (int r = 0; r < rows; ++r) {
            ASSERT_TRUE(same_float(part[m * rows + r], whole[(first_m + m) * kRows + first + r]))
                << dtype_name(type) << ", " << n << " columns, " << rows << "x" << m_count;
          }
        }
      }
    }
  });
}

// Tiles change the speed and no bit, nor does VNNI on vectors of 256 bits.
TEST_P(ProductTest, ManyIsThatOfTheLevelItIsMadeFrom) {
  if (GetParam() < Isa::kAvx2) GTEST_SKIP() << "scales in another order";
  const Isa least = GetParam() < Isa::kAvx512 ? Isa::kAvx2 : Isa::kAvx512;
  if (GetParam() == least) GTEST_SKIP() << "what others are compared with";
  const Kernels expected_kernels = select_kernels(least);
  constexpr int kRows = 49;
  for_each_row([&](DType type, int64_t n) {
    const auto t = static_cast<int>(type);
    Guarded<uint8_t> weights(stored_rows(type, kRows, n));
    for (const int64_t m_count : {1, 3, 7, 15, 16, 17, 35}) {
      ManyActivations x(kernels, n, m_count);
      Guarded<float> expected(m_count * kRows), found(m_count * kRows);
      for (const auto& [k, out] : {std::pair{&expected_kernels, &expected}, {&kernels, &found}}) {
        k->product_many[t](weights.data(), row_bytes(type, n), kRows, n, x.blocks.data(), x.stride,
                           m_count, out->data(), kRows);
      }
      expect_same(found, expected, (std::string(dtype_name(type)) + " many").c_str());
    }
  });
}

TEST_P(ProductTest, BlocksAreTheQuantizedRow) {
  for (const int64_t n : {1, 16, 31, 32, 33, 100, 576, 2048}) {
    auto x = random_floats(n, 3);
    if (n > 40) x[40] = std::numeric_limits<float>::quiet_NaN();
    const int64_t padded = padded_columns(n);
    Guarded<int8_t> q(padded);
    Guarded<float> scale(padded / kGroup), sum(padded / kGroup);
    Guarded<int32_t> bias(padded / kGroup);
    kernels.quantize_i8(x.data(), n, q.data(), scale.data(), sum.data(), bias.data());
    Guarded<ActivationBlock> blocks(activation_blocks(n));
    kernels.quantize_blocks(x.data(), n, blocks.data());
    for (int64_t i = 0; i < blocks.size() * kActivationBlock; ++i) {
      const ActivationBlock& b = blocks[i / kActivationBlock];
      ASSERT_EQ(b.q[i % kActivationBlock], q[interleaved_position(i, padded)]) << i << " of " << n;
      ASSERT_TRUE(same_float(b.scale, scale[i / kGroup])) << i << " of " << n;
      const int64_t half = i % kActivationBlock / kGroup;
      ASSERT_TRUE(same_float(b.sum[1 + half], sum[i / kGroup])) << i << " of " << n;
      ASSERT_EQ(b.bias[1 + half], bias[i / kGroup]) << i << " of " << n;
      ASSERT_EQ(b.bias[0], b.bias[1] + b.bias[2]) << i << " of " << n;
      ASSERT_TRUE(same_float(b.sum[0], b.scale * static_cast<float>(b.bias[0] / -128)));
    }
  }
}

}  // namespace
}  // namespace minke
