#include "math/kernels/avx512/intrinsics.h"
#include "math/kernels/avx512/reduce.h"
#include "math/kernels/avx512_bf16/avx512_bf16.h"

namespace minke::avx512_bf16 {
namespace {

// Rows of w are on their way from memory this many rows before they are multiplied: about as long
// as 16 rows of x take to pass them. Rows beyond the last are the next ones of a longer matrix, or
// nothing: a prefetch of any address is harmless.
constexpr int64_t kRowsAhead = 12;

__mmask32 first_lanes(int64_t count) {
  return count >= 32 ? 0xffffffffu : static_cast<__mmask32>((1u << count) - 1);
}

__m512bh load(__mmask32 lanes, const uint16_t* p) {
  return (__m512bh)_mm512_maskz_loadu_epi16(lanes, p);
}

__m512bh load(const uint16_t* p) {
  return (__m512bh)_mm512_loadu_si512(p);
}

// out[m * out_stride + r] for R rows of w and M of x. One vector of running sums for each result:
// the order of additions depends on n alone. With kFetch the row at address `next` is prefetched.
template <int R, int M, bool kFetch>
void dot_tile(const uint16_t* w, int64_t w_stride, const uint16_t* x, int64_t x_stride, int64_t n,
              float* out, int64_t out_stride, uintptr_t next) {
  __m512 sum[M][R];
#pragma GCC unroll 4
  for (int m = 0; m < M; ++m) {
#pragma GCC unroll 4
    for (int r = 0; r < R; ++r) sum[m][r] = _mm512_setzero_ps();
  }
  int64_t i = 0;
  for (; i + 32 <= n; i += 32) {
    __m512bh a[R];
#pragma GCC unroll 4
    for (int r = 0; r < R; ++r) a[r] = load(w + r * w_stride + i);
    if (kFetch) {
      const uintptr_t line = next + static_cast<uintptr_t>(i) * sizeof(uint16_t);
      _mm_prefetch(reinterpret_cast<const char*>(line), _MM_HINT_T0);
    }
#pragma GCC unroll 4
    for (int m = 0; m < M; ++m) {
      const __m512bh b = load(x + m * x_stride + i);
#pragma GCC unroll 4
      for (int r = 0; r < R; ++r) sum[m][r] = _mm512_dpbf16_ps(sum[m][r], a[r], b);
    }
  }
  if (i < n) {
    const __mmask32 lanes = first_lanes(n - i);
#pragma GCC unroll 4
    for (int m = 0; m < M; ++m) {
      const __m512bh b = load(lanes, x + m * x_stride + i);
#pragma GCC unroll 4
      for (int r = 0; r < R; ++r) {
        sum[m][r] = _mm512_dpbf16_ps(sum[m][r], load(lanes, w + r * w_stride + i), b);
      }
    }
  }
#pragma GCC unroll 4
  for (int m = 0; m < M; ++m) {
    __m512 four[4];
#pragma GCC unroll 4
    for (int r = 0; r < 4; ++r) four[r] = r < R ? sum[m][r] : _mm512_setzero_ps();
    _mm_mask_storeu_ps(out + m * out_stride, (1 << R) - 1, avx512::sum_lanes(four));
  }
}

// R rows of w times all rows of x. Four times four rows of x and more take long enough to fetch the
// R rows that stand kRowsAhead further, one in each tile.
template <int R>
void dot_rows(const uint16_t* w, int64_t w_stride, const uint16_t* x, int64_t x_stride,
              int64_t m_count, int64_t n, float* out, int64_t out_stride) {
  int64_t m = 0;
  if (R == 4 && m_count >= 16) {
    for (; m < 16; m += 4) {
      const int64_t ahead = (kRowsAhead + m / 4) * w_stride * static_cast<int64_t>(sizeof(*w));
      dot_tile<R, 4, true>(w, w_stride, x + m * x_stride, x_stride, n, out + m * out_stride,
                           out_stride,
                           reinterpret_cast<uintptr_t>(w) + static_cast<uintptr_t>(ahead));
    }
  }
  for (; m + 4 <= m_count; m += 4) {
    dot_tile<R, 4, false>(w, w_stride, x + m * x_stride, x_stride, n, out + m * out_stride,
                          out_stride, 0);
  }
  x += m * x_stride;
  out += m * out_stride;
  switch (m_count - m) {
    case 3:
      return dot_tile<R, 3, false>(w, w_stride, x, x_stride, n, out, out_stride, 0);
    case 2:
      return dot_tile<R, 2, false>(w, w_stride, x, x_stride, n, out, out_stride, 0);
    case 1:
      return dot_tile<R, 1, false>(w, w_stride, x, x_stride, n, out, out_stride, 0);
    default:
      return;
  }
}

}  // namespace

void dot_bf16(const uint16_t* w, int64_t w_stride, int64_t rows, const uint16_t* x,
              int64_t x_stride, int64_t m_count, int64_t n, float* out, int64_t out_stride) {
  int64_t r = 0;
  for (; r + 4 <= rows; r += 4) {
    dot_rows<4>(w + r * w_stride, w_stride, x, x_stride, m_count, n, out + r, out_stride);
  }
  for (; r < rows; ++r) {
    dot_rows<1>(w + r * w_stride, w_stride, x, x_stride, m_count, n, out + r, out_stride);
  }
}

}  // namespace minke::avx512_bf16
