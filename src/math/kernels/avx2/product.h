#pragma once

#include "math/kernels/avx2/activations.h"
#include "math/kernels/avx2/lanes.h"
#include "math/kernels/avx2/run.h"

// Products of weight rows as they are stored with few activation rows: each run is unpacked into
// registers and multiplied there, so that weights are read once and written nowhere. The sums are
// those of dot_i8 on unpacked rows, bit for bit.
//
// How bytes are multiplied is a parameter, `Bytes`: a struct with
//   kZero<Format>, which its codes have more than the values that they stand for, or 0,
//   codes<Format>(v): its codes of what decode_codes gives,
//   dot_quarters<Format>(run, half, load): the sums of a code of each quarter with load(quarter),
//     four products in a lane,
//   multiply<Format>: multiply_tiles() of a panel of its codes.

namespace minke::avx2 {
namespace {

// Takes a zero point out of a sum: sum((q + zero) * x) + (bias >> bias_shift) = sum(q * x), for
// bias is -128 * sum(x). Exact, as the zero point is a power of two. Without one, nothing is left
// of the bias.
constexpr int bias_shift(int zero) {
  return zero == 0 ? 31 : 7 - __builtin_ctz(zero);
}

// Adds half `half` of a run of `groups` groups that begins at value `run` of the activations.
template <typename Format, typename Bytes, int M, typename Load>
[[gnu::always_inline]] inline void add_half(const Run& w, int half, const QuantizedRows& x,
                                            int64_t run, int64_t groups, const Load& load,
                                            __m256 (&sum)[M]) {
#pragma GCC unroll 4
  for (int m = 0; m < M; ++m) {
    const int8_t* q = x.q + m * x.stride + run + 32 * half;
    const int64_t g = (m * x.stride + run) / kGroup + 8 * half;
    const auto quarter = [&](int t) { return load(q + 4 * groups * t); };
    __m256i dot = Bytes::template dot_quarters<Format>(w, half, quarter);
    constexpr int kZero = Bytes::template kZero<Format>;
    if constexpr (kZero != 0) {
      dot = _mm256_add_epi32(dot, _mm256_srai_epi32(load(x.bias + g), bias_shift(kZero)));
    }
    const __m256 factor = _mm256_mul_ps(w.scale[half], load(x.scale + g));
    sum[m] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(dot), factor, sum[m]);
    if constexpr (Format::kOffset) {
      sum[m] = _mm256_fmadd_ps(w.offset[half], load(x.sum + g), sum[m]);
    }
  }
}

// Weights are asked for this many bytes ahead of their use, across the ends of rows: the rows of a
// matrix follow one another, and the processor's own prefetchers stop at the ends of pages.
constexpr int kAhead = 4096;

template <int kBytes>
[[gnu::always_inline]] inline void prefetch(const uint8_t* p) {
  constexpr int kCacheLine = 64;
#pragma GCC unroll 8
  for (int i = 0; i < kBytes; i += kCacheLine) _mm_prefetch(p + i, _MM_HINT_T0);
}

// sum[m] += the products of a weight row with activation row m, lane by lane.
template <typename Format, typename Bytes, int M>
[[gnu::always_inline]] inline void add_row(const uint8_t* row, int64_t n, const QuantizedRows& x,
                                           __m256 (&sum)[M]) {
  constexpr int kRunBytes = kRun / Format::kValues * Format::kBytes;
  constexpr int64_t kGroups = kRun / kGroup;
  Run w;
  int64_t i = 0;
  for (; i + kRun <= n; i += kRun, row += kRunBytes) {
    prefetch<kRunBytes>(row + kAhead);
    decode_codes<Format>(row, kRun, w);
    add_half<Format, Bytes>(w, 0, x, i, kGroups, Whole{}, sum);
    add_half<Format, Bytes>(w, 1, x, i, kGroups, Whole{}, sum);
  }
  if constexpr (Format::kValues < kRun) {
    if (i == n) return;
    decode_codes<Format>(row, n - i, w);
    const int64_t groups = (x.stride - i) / kGroup;
    for (int half = 0; 8 * half < groups; ++half) {
      // Blocks that stand in for missing ones must not bring in an infinite scale.
      const __m256i real = first_lanes((n - i) / kGroup - 8 * half);
      const __m256 keep = _mm256_castsi256_ps(real);
      w.scale[half] = _mm256_and_ps(w.scale[half], keep);
      w.offset[half] = _mm256_and_ps(w.offset[half], keep);
      add_half<Format, Bytes>(w, half, x, i, groups, Masked{real}, sum);
    }
  }
}

// out[m * out_stride + r] for `row_count` weight rows and M activation rows.
template <typename Format, typename Bytes, int M>
void multiply_few(const uint8_t* rows, int64_t row_stride, int row_count, int64_t n,
                  const QuantizedRows& x, float* out, int64_t out_stride) {
  for (int r = 0; r < row_count; r += 4) {
    const int count = row_count - r < 4 ? row_count - r : 4;
    __m256 sum[M][4];
    for (auto& four : sum) {
      for (auto& s : four) s = _mm256_setzero_ps();
    }
    for (int k = 0; k < count; ++k) {
      __m256 of_row[M];
#pragma GCC unroll 4
      for (auto& s : of_row) s = _mm256_setzero_ps();
      add_row<Format, Bytes>(rows + (r + k) * row_stride, n, x, of_row);
#pragma GCC unroll 4
      for (int m = 0; m < M; ++m) sum[m][k] = of_row[m];
    }
    for (int m = 0; m < M; ++m) store_first(out + m * out_stride + r, count, sum_lanes(sum[m]));
  }
}

template <typename Format, typename Bytes>
void product_few(const uint8_t* rows, int64_t row_stride, int row_count, int64_t n, QuantizedRows x,
                 int64_t m_count, float* out, int64_t out_stride) {
  int64_t m = 0;
  for (; m + 4 <= m_count; m += 4) {
    multiply_few<Format, Bytes, 4>(rows, row_stride, row_count, n, rows_from(x, m),
                                   out + m * out_stride, out_stride);
  }
  if (m + 2 <= m_count) {
    multiply_few<Format, Bytes, 2>(rows, row_stride, row_count, n, rows_from(x, m),
                                   out + m * out_stride, out_stride);
    m += 2;
  }
  if (m < m_count) {
    multiply_few<Format, Bytes, 1>(rows, row_stride, row_count, n, rows_from(x, m),
                                   out + m * out_stride, out_stride);
  }
}

}  // namespace
}  // namespace minke::avx2
