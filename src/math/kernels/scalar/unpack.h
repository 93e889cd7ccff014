#pragma once

#include <algorithm>
#include <cstring>

#include "math/kernels/kernels.h"
#include "math/kernels/levels.h"
#include "math/tensor/dtype.h"

// What all quantized formats share. A format is a struct with
//   kType, kValues (values of a block), kBytes (bytes of a block) and
//   decode(bytes, Block<kValues>&): one block in natural order.

namespace minke::scalar {

template <int kValues>
struct Block {
  int8_t q[kValues];
  float scale[kValues / kGroup];
  float offset[kValues / kGroup];
};

// The 16 values that a 4-bit code stands for in IQ4_NL and IQ4_XS (ggml: kvalues_iq4nl).
inline constexpr int8_t kIq4Values[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                          1,    13,   25,  38,  53,  69,  89,  113};

// Zeroes groups [first, padded / 16) of an unpacked or quantized row's q.
inline void zero_groups(int8_t* q, int64_t first, int64_t padded) {
  for (int64_t i = first * kGroup; i < padded; i += 4) {
    std::memset(q + interleaved_position(i, padded), 0, 4);
  }
}

template <typename Format>
void unpack_i8(const uint8_t* row, int64_t n, UnpackedRow out) {
  constexpr int kGroups = Format::kValues / kGroup;
  const int64_t padded = padded_columns(n);
  Block<Format::kValues> block;
  for (int64_t first = 0; first < n; first += Format::kValues, row += Format::kBytes) {
    Format::decode(row, block);
    std::copy_n(block.scale, kGroups, out.scale + first / kGroup);
    std::copy_n(block.offset, kGroups, out.offset + first / kGroup);
    for (int i = 0; i < Format::kValues; i += 4) {
      std::memcpy(out.q + interleaved_position(first + i, padded), block.q + i, 4);
    }
  }
  const int64_t groups = n / kGroup;
  zero_groups(out.q, groups, padded);
  std::fill(out.scale + groups, out.scale + padded / kGroup, 0.0f);
  std::fill(out.offset + groups, out.offset + padded / kGroup, 0.0f);
}

template <typename Format>
void unpack_f32(const uint8_t* row, int64_t n, float* out) {
  Block<Format::kValues> block;
  for (int64_t first = 0; first < n; first += Format::kValues, row += Format::kBytes) {
    Format::decode(row, block);
    for (int i = 0; i < Format::kValues; ++i) {
      out[first + i] =
          block.scale[i / kGroup] * static_cast<float>(block.q[i]) + block.offset[i / kGroup];
    }
  }
}

// out[m * out_stride + r] for rows of stored blocks: add(block, first column, m, total) adds the
// products of one block to a sum, block after block.
template <typename Format, typename Add>
void product(const uint8_t* rows, int64_t row_stride, int row_count, int64_t n, int64_t m_count,
             float* out, int64_t out_stride, const Add& add) {
  Block<Format::kValues> block;
  for (int r = 0; r < row_count; ++r) {
    const uint8_t* bytes = rows + r * row_stride;
    for (int64_t m = 0; m < m_count; ++m) out[m * out_stride + r] = 0.0f;
    for (int64_t first = 0; first < n; first += Format::kValues, bytes += Format::kBytes) {
      Format::decode(bytes, block);
      for (int64_t m = 0; m < m_count; ++m) {
        float& total = out[m * out_stride + r];
        total = add(block, first, m, total);
      }
    }
  }
}

template <typename Format>
void product_few(const uint8_t* rows, int64_t row_stride, int row_count, int64_t n, QuantizedRows x,
                 int64_t m_count, float* out, int64_t out_stride) {
  const auto add = [&](const auto& block, int64_t first, int64_t m, float total) {
    for (int g = 0; g < Format::kValues / kGroup; ++g) {
      int32_t sum = 0;
      for (int i = 0; i < kGroup; ++i) {
        const int64_t at = interleaved_position(first + g * kGroup + i, x.stride);
        sum += int32_t{block.q[g * kGroup + i]} * x.q[m * x.stride + at];
      }
      const int64_t xg = m * x.stride / kGroup + first / kGroup + g;
      total += block.scale[g] * x.scale[xg] * static_cast<float>(sum) + block.offset[g] * x.sum[xg];
    }
    return total;
  };
  product<Format>(rows, row_stride, row_count, n, m_count, out, out_stride, add);
}

template <typename Format>
void product_many(const uint8_t* rows, int64_t row_stride, int row_count, int64_t n,
                  const ActivationBlock* x, int64_t x_stride, int64_t m_count, float* out,
                  int64_t out_stride) {
  const auto add = [&](const auto& block, int64_t first, int64_t m, float total) {
    for (int g = 0; g < Format::kValues / kGroup; ++g) {
      const int64_t column = first + g * kGroup;
      const ActivationBlock& a = x[m * x_stride + column / kActivationBlock];
      const int half = static_cast<int>(column % kActivationBlock / kGroup);
      int32_t sum = 0;
      for (int i = 0; i < kGroup; ++i) {
        sum += int32_t{block.q[g * kGroup + i]} * a.q[half * kGroup + i];
      }
      total +=
          block.scale[g] * a.scale * static_cast<float>(sum) + block.offset[g] * a.sum[1 + half];
    }
    return total;
  };
  product<Format>(rows, row_stride, row_count, n, m_count, out, out_stride, add);
}

template <typename Format>
void set_format(Kernels& k) {
  minke::set_format(
      k, Format::kType,
      {unpack_i8<Format>, unpack_f32<Format>, product_few<Format>, product_many<Format>});
}

}  // namespace minke::scalar
