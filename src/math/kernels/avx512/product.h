#pragma once

#include "math/kernels/avx512/reduce.h"
#include "math/kernels/avx512/run.h"

// Products of weight rows as they are stored with few activation rows: each run is unpacked into
// registers and multiplied there, so that weights are read once and written nowhere. The sums are
// those of dot_i8 on unpacked rows, bit for bit.

namespace minke::avx512 {
namespace {

// One run of an activation row.
struct ActivationRun {
  __m512i q[4];
  __m512 scale, sum;
  __m512i bias;
};

// Loads the run of `groups` groups at value `run` of row m; lanes outside `lanes` become zero.
[[gnu::always_inline]] inline ActivationRun load_activations(const QuantizedRows& x, int64_t m,
                                                             int64_t run, int64_t groups,
                                                             __mmask16 lanes) {
  const int8_t* q = x.q + m * x.stride + run;
  const int64_t g = (m * x.stride + run) / kGroup;
  ActivationRun a;
#pragma GCC unroll 4
  for (int t = 0; t < 4; ++t) a.q[t] = _mm512_maskz_loadu_epi32(lanes, q + 4 * groups * t);
  a.scale = _mm512_maskz_loadu_ps(lanes, x.scale + g);
  a.sum = _mm512_maskz_loadu_ps(lanes, x.sum + g);
  a.bias = _mm512_maskz_loadu_epi32(lanes, x.bias + g);
  return a;
}

// Minus the zero times the sum of the activation's q, where sums of codes begin: VNNI multiplies
// unsigned by signed bytes, and the integer result is exact.
template <typename Format>
[[gnu::always_inline]] inline __m512i first_sum(const ActivationRun& a) {
  if constexpr (Format::kZero == 0) {
    return _mm512_setzero_si512();
  } else {  // the bias is for 128
    constexpr int kShift = __builtin_ctz(128u / Format::kZero);
    return kShift == 0 ? a.bias : _mm512_srai_epi32(a.bias, kShift);
  }
}

template <typename Format>
[[gnu::always_inline]] inline __m512 add_product(const Run& w, const ActivationRun& a, __m512 sum) {
  __m512i dot = first_sum<Format>(a);
#pragma GCC unroll 4
  for (int t = 0; t < 4; ++t) dot = _mm512_dpbusd_epi32(dot, w.q[t], a.q[t]);
  // Once for the sum in place of once for each code, and as exact.
  if constexpr (kIsRaised<Format>) dot = _mm512_srav_epi32(dot, Format::raised());
  const __m512 factor = _mm512_mul_ps(w.scale, a.scale);
  sum = _mm512_fmadd_ps(_mm512_cvtepi32_ps(dot), factor, sum);
  return Format::kOffset ? _mm512_fmadd_ps(w.offset, a.sum, sum) : sum;
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

// The sums of one weight row times M activation rows, over groups yet.
template <typename Format, int M>
[[gnu::always_inline]] inline void add_row(const uint8_t* row, int64_t n, const QuantizedRows& x,
                                           __m512* sums) {
  constexpr int kRunBytes = kRun / Format::kValues * Format::kBytes;
  __m512 sum[M];
#pragma GCC unroll 4
  for (auto& s : sum) s = _mm512_setzero_ps();
  int64_t i = 0;
  for (; i + kRun <= n; i += kRun, row += kRunBytes) {
    prefetch<kRunBytes>(row + kAhead);
    Run w;
    decode_raised_run<Format>(row, kRun, w);
#pragma GCC unroll 4
    for (int m = 0; m < M; ++m) {
      sum[m] = add_product<Format>(w, load_activations(x, m, i, kRun / kGroup, 0xffff), sum[m]);
    }
  }
  if constexpr (Format::kValues < kRun) {
    if (i < n) {
      // Blocks that stand in for missing ones must not bring in an infinite scale.
      const __mmask16 real = first_lanes(static_cast<int>((n - i) / kGroup));
      Run w;
      decode_raised_run<Format>(row, n - i, w);
      w.scale = _mm512_maskz_mov_ps(real, w.scale);
      w.offset = _mm512_maskz_mov_ps(real, w.offset);
      for (int m = 0; m < M; ++m) {
        const auto a = load_activations(x, m, i, (x.stride - i) / kGroup, real);
        sum[m] = add_product<Format>(w, a, sum[m]);
      }
    }
  }
#pragma GCC unroll 4
  for (int m = 0; m < M; ++m) sums[m] = sum[m];
}

// Row after row, in the order in which they are stored: the processor's own prefetchers see one
// stream. Four sums over groups are formed together, of 4 / M rows.
template <typename Format, int M>
void multiply_rows(const uint8_t* rows, int64_t row_stride, int row_count, int64_t n,
                   const QuantizedRows& x, float* out, int64_t out_stride) {
  constexpr int kTogether = 4 / M;
  for (int r = 0; r < row_count; r += kTogether) {
    __m512 sums[4] = {};
    const int count = row_count - r < kTogether ? row_count - r : kTogether;
    for (int k = 0; k < count; ++k) {
      add_row<Format, M>(rows + (r + k) * row_stride, n, x, sums + k * M);
    }
    alignas(16) float values[4];
    _mm_store_ps(values, sum_lanes(sums));
    for (int k = 0; k < count; ++k) {
#pragma GCC unroll 4
      for (int m = 0; m < M; ++m) out[r + k + m * out_stride] = values[k * M + m];
    }
  }
}

template <typename Format>
void product_few(const uint8_t* rows, int64_t row_stride, int row_count, int64_t n, QuantizedRows x,
                 int64_t m_count, float* out, int64_t out_stride) {
  int64_t m = 0;
  for (; m + 4 <= m_count; m += 4) {
    multiply_rows<Format, 4>(rows, row_stride, row_count, n, rows_from(x, m), out + m * out_stride,
                             out_stride);
  }
  for (; m + 2 <= m_count; m += 2) {
    multiply_rows<Format, 2>(rows, row_stride, row_count, n, rows_from(x, m), out + m * out_stride,
                             out_stride);
  }
  if (m < m_count) {
    multiply_rows<Format, 1>(rows, row_stride, row_count, n, rows_from(x, m), out + m * out_stride,
                             out_stride);
  }
}

}  // namespace
}  // namespace minke::avx512
