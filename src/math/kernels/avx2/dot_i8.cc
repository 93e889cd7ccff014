#include "math/kernels/avx2/activations.h"
#include "math/kernels/avx2/avx2.h"
#include "math/kernels/avx2/lanes.h"

// The 8-bit multiplication wants one unsigned operand: it gets |w|, and the activations get w's
// sign. Two products of at most 128 * 127 fit the 16 bits that it adds them in.

namespace minke::avx2 {
namespace {

// Rows of w from r on.
UnpackedRow weight_rows(const UnpackedRow& w, int64_t r, int64_t stride) {
  const int64_t groups = r * stride / kGroup;
  return {w.q + r * stride, w.scale + groups, w.offset + groups};
}

// Adds up to eight groups from group `first` of a run of `groups` groups to the sums. The run
// begins at value `run` of the rows.
template <int R, int M, typename Load>
inline void add_groups(const UnpackedRow& w, const QuantizedRows& x, int64_t run, int64_t groups,
                       int64_t first, Load load, __m256 (&sum)[M][R]) {
  const __m256i ones = _mm256_set1_epi16(1);
  const int64_t scales = x.stride / kGroup;
  const int64_t g = run / kGroup + first;
#pragma GCC unroll 4
  for (int r = 0; r < R; ++r) {
    __m256i wq[4];
#pragma GCC unroll 4
    for (int t = 0; t < 4; ++t) {
      wq[t] = load(w.q + r * x.stride + run + 4 * (groups * t + first));
    }
    const __m256 w_scale = load(w.scale + r * scales + g);
    const __m256 w_offset = load(w.offset + r * scales + g);
#pragma GCC unroll 4
    for (int m = 0; m < M; ++m) {
      __m256i dot = _mm256_setzero_si256();
#pragma GCC unroll 4
      for (int t = 0; t < 4; ++t) {
        const __m256i xq = load(x.q + m * x.stride + run + 4 * (groups * t + first));
        const __m256i pairs =
            _mm256_maddubs_epi16(_mm256_abs_epi8(wq[t]), _mm256_sign_epi8(xq, wq[t]));
        dot = _mm256_add_epi32(dot, _mm256_madd_epi16(pairs, ones));
      }
      const __m256 factor = _mm256_mul_ps(w_scale, load(x.scale + m * scales + g));
      const __m256 with_dot = _mm256_fmadd_ps(_mm256_cvtepi32_ps(dot), factor, sum[m][r]);
      sum[m][r] = _mm256_fmadd_ps(w_offset, load(x.sum + m * scales + g), with_dot);
    }
  }
}

// out[m * out_stride + r] for R rows of w and M of x. One vector of running sums for each result:
// the order of additions depends on the row's length alone.
template <int R, int M>
void multiply(const UnpackedRow& w, const QuantizedRows& x, float* out, int64_t out_stride) {
  constexpr int64_t kGroups = kRun / kGroup;
  __m256 sum[M][R];
#pragma GCC unroll 4
  for (int m = 0; m < M; ++m) {
#pragma GCC unroll 4
    for (int r = 0; r < R; ++r) sum[m][r] = _mm256_setzero_ps();
  }
  int64_t run = 0;
  for (; run + kRun <= x.stride; run += kRun) {
    add_groups<R, M>(w, x, run, kGroups, 0, Whole{}, sum);
    add_groups<R, M>(w, x, run, kGroups, 8, Whole{}, sum);
  }
  const int64_t groups = (x.stride - run) / kGroup;
  for (int64_t first = 0; first < groups; first += 8) {
    add_groups<R, M>(w, x, run, groups, first, Masked{first_lanes(groups - first)}, sum);
  }
#pragma GCC unroll 4
  for (int m = 0; m < M; ++m) {
    __m256 four[4];
#pragma GCC unroll 4
    for (int r = 0; r < 4; ++r) four[r] = r < R ? sum[m][r] : _mm256_setzero_ps();
    store_first(out + m * out_stride, R, sum_lanes(four));
  }
}

}  // namespace

void dot_i8(UnpackedRow w, int rows, QuantizedRows x, int64_t m_count, float* out,
            int64_t out_stride) {
  // With 16 registers the tile is one weight row against four activation rows. A single activation
  // row, which decoding has, goes against four weight rows.
  int64_t m = 0;
  for (; m + 4 <= m_count; m += 4) {
    for (int r = 0; r < rows; ++r) {
      multiply<1, 4>(weight_rows(w, r, x.stride), rows_from(x, m), out + m * out_stride + r,
                     out_stride);
    }
  }
  for (; m < m_count; ++m) {
    const QuantizedRows xm = rows_from(x, m);
    float* row = out + m * out_stride;
    int r = 0;
    for (; r + 4 <= rows; r += 4) {
      multiply<4, 1>(weight_rows(w, r, x.stride), xm, row + r, out_stride);
    }
    for (; r < rows; ++r) {
      multiply<1, 1>(weight_rows(w, r, x.stride), xm, row + r, out_stride);
    }
  }
}

}  // namespace minke::avx2
