#include "math/kernels/avx512/avx512.h"
#include "math/kernels/avx512/intrinsics.h"
#include "math/kernels/avx512/reduce.h"

// VNNI multiplies unsigned by signed bytes. Weights go in as q + 128, and the sum starts at
// -128 * (sum of the activation's q), so that the integer result is exact.

namespace minke::avx512 {
namespace {

// Rows of w from r on.
UnpackedRow weight_rows(const UnpackedRow& w, int64_t r, int64_t stride) {
  const int64_t groups = r * stride / kGroup;
  return {w.q + r * stride, w.scale + groups, w.offset + groups};
}

// Where the next run of the first rows begins, and how far apart rows are.
struct Cursor {
  Cursor(const UnpackedRow& w, const QuantizedRows& x)
      : wq(w.q),
        w_scale(w.scale),
        w_offset(w.offset),
        xq(x.q),
        x_scale(x.scale),
        x_sum(x.sum),
        x_bias(x.bias),
        q_stride(x.stride),
        scale_stride(x.stride / kGroup) {}

  void advance() {
    wq += kRun;
    xq += kRun;
    w_scale += kRun / kGroup;
    w_offset += kRun / kGroup;
    x_scale += kRun / kGroup;
    x_sum += kRun / kGroup;
    x_bias += kRun / kGroup;
  }

  const int8_t* wq;
  const float* w_scale;
  const float* w_offset;
  const int8_t* xq;
  const float* x_scale;
  const float* x_sum;
  const int32_t* x_bias;
  int64_t q_stride, scale_stride;
};

// Adds a run of `groups` groups to the sums. `lanes` selects the groups.
template <int R, int M>
inline void add_run(const Cursor& at, int64_t groups, __mmask16 lanes, __m512 (&sum)[M][R]) {
  __m512i wq[R][4];
  __m512 w_scale[R];
  __m512 w_offset[R];
#pragma GCC unroll 4
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 4
    for (int t = 0; t < 4; ++t) {
      const int8_t* q = at.wq + r * at.q_stride + 4 * groups * t;
      wq[r][t] = _mm512_xor_si512(_mm512_maskz_loadu_epi32(lanes, q), _mm512_set1_epi8(-128));
    }
    w_scale[r] = _mm512_maskz_loadu_ps(lanes, at.w_scale + r * at.scale_stride);
    w_offset[r] = _mm512_maskz_loadu_ps(lanes, at.w_offset + r * at.scale_stride);
  }
#pragma GCC unroll 8
  for (int m = 0; m < M; ++m) {
    __m512i xq[4];
#pragma GCC unroll 4
    for (int t = 0; t < 4; ++t) {
      xq[t] = _mm512_maskz_loadu_epi32(lanes, at.xq + m * at.q_stride + 4 * groups * t);
    }
    const __m512 x_scale = _mm512_maskz_loadu_ps(lanes, at.x_scale + m * at.scale_stride);
    const __m512 x_sum = _mm512_maskz_loadu_ps(lanes, at.x_sum + m * at.scale_stride);
    const __m512i bias = _mm512_maskz_loadu_epi32(lanes, at.x_bias + m * at.scale_stride);
#pragma GCC unroll 4
    for (int r = 0; r < R; ++r) {
      __m512i dot = bias;
#pragma GCC unroll 4
      for (int t = 0; t < 4; ++t) dot = _mm512_dpbusd_epi32(dot, wq[r][t], xq[t]);
      const __m512 factor = _mm512_mul_ps(w_scale[r], x_scale);
      const __m512 with_dot = _mm512_fmadd_ps(_mm512_cvtepi32_ps(dot), factor, sum[m][r]);
      sum[m][r] = _mm512_fmadd_ps(w_offset[r], x_sum, with_dot);
    }
  }
}

// out[m * out_stride + r] for R rows of w and M of x. One vector of running sums for each result:
// the order of additions depends on the row's length alone.
template <int R, int M>
void multiply(const UnpackedRow& w, const QuantizedRows& x, float* out, int64_t out_stride) {
  __m512 sum[M][R];
#pragma GCC unroll 8
  for (int m = 0; m < M; ++m) {
#pragma GCC unroll 4
    for (int r = 0; r < R; ++r) sum[m][r] = _mm512_setzero_ps();
  }
  Cursor at(w, x);
  for (int64_t runs = x.stride / kRun; runs > 0; --runs) {
    add_run<R, M>(at, kRun / kGroup, 0xffff, sum);
    at.advance();
  }
  const int64_t rest = x.stride % kRun / kGroup;
  if (rest != 0) add_run<R, M>(at, rest, static_cast<__mmask16>((1u << rest) - 1), sum);
#pragma GCC unroll 8
  for (int m = 0; m < M; ++m) {
    __m512 four[4];
#pragma GCC unroll 4
    for (int r = 0; r < 4; ++r) four[r] = r < R ? sum[m][r] : _mm512_setzero_ps();
    _mm_mask_storeu_ps(out + m * out_stride, (1 << R) - 1, sum_lanes(four));
  }
}

// All rows of w times activation rows [m, m_count) in tiles of M; returns the first row left over.
template <int M>
int64_t multiply_tiles(const UnpackedRow& w, int rows, const QuantizedRows& x, int64_t m,
                       int64_t m_count, float* out, int64_t out_stride) {
  for (; m + M <= m_count; m += M) {
    const QuantizedRows tile = rows_from(x, m);
    float* tile_out = out + m * out_stride;
    int r = 0;
    for (; r + 2 <= rows; r += 2) {
      multiply<2, M>(weight_rows(w, r, x.stride), tile, tile_out + r, out_stride);
    }
    if (r < rows) multiply<1, M>(weight_rows(w, r, x.stride), tile, tile_out + r, out_stride);
  }
  return m;
}

}  // namespace

void dot_i8(UnpackedRow w, int rows, QuantizedRows x, int64_t m_count, float* out,
            int64_t out_stride) {
  // Tiles of two weight rows and four activation rows fill the 32 registers best; a single
  // activation row, which decoding has, goes against four weight rows.
  int64_t m = multiply_tiles<4>(w, rows, x, 0, m_count, out, out_stride);
  m = multiply_tiles<2>(w, rows, x, m, m_count, out, out_stride);
  if (m == m_count) return;
  const QuantizedRows last = rows_from(x, m);
  float* row = out + m * out_stride;
  int r = 0;
  for (; r + 4 <= rows; r += 4) {
    multiply<4, 1>(weight_rows(w, r, x.stride), last, row + r, out_stride);
  }
  for (; r < rows; ++r) {
    multiply<1, 1>(weight_rows(w, r, x.stride), last, row + r, out_stride);
  }
}

}  // namespace minke::avx512
