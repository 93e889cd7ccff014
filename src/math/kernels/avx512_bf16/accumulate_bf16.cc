#include "math/kernels/avx512/intrinsics.h"
#include "math/kernels/avx512_bf16/avx512_bf16.h"

namespace minke::avx512_bf16 {
namespace {

// Columns of `out` that stay in registers while rows of v are added: two vectors of v, four of
// sums.
constexpr int64_t kSlab = 64;
// Rows of v after which the next slab is taken, so that a slab of v stays in the first-level cache
// for all rows of p. Even, so that it cuts no pair.
constexpr int64_t kRowBlock = 128;

// The columns of one slab that exist.
struct SlabLanes {
  explicit SlabLanes(int64_t columns) {
    for (int j = 0; j < 2; ++j) {
      const int64_t rest = columns - 32 * j;
      halves[j] = rest >= 32 ? 0xffffffffu
                  : rest > 0 ? static_cast<__mmask32>((1u << rest) - 1)
                             : 0;
      floats[2 * j] = static_cast<__mmask16>(halves[j]);
      floats[2 * j + 1] = static_cast<__mmask16>(halves[j] >> 16);
    }
  }
  __mmask32 halves[2];
  __mmask16 floats[4];
};

// Interleaving two rows within each 128 bits leaves the pairs of columns 8k..8k+3 in one vector and
// those of 8k+4..8k+7 in another. Sums are kept in that order: the first two tables bring 32 of
// them into it, the last two back.
const int32_t kLowOrder[16] = {0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27};
const int32_t kHighOrder[16] = {4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31};
const int32_t kFirstHalf[16] = {0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23};
const int32_t kSecondHalf[16] = {8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31};

__m512 gather(__m512 a, const int32_t order[16], __m512 b) {
  return _mm512_permutex2var_ps(a, _mm512_loadu_si512(order), b);
}

template <int M>
void load_sums(const float* out, int64_t out_stride, const SlabLanes& lanes, __m512 sum[M][4]) {
#pragma GCC unroll 4
  for (int m = 0; m < M; ++m) {
#pragma GCC unroll 2
    for (int j = 0; j < 2; ++j) {
      const float* at = out + m * out_stride + 32 * j;
      const __m512 first = _mm512_maskz_loadu_ps(lanes.floats[2 * j], at);
      const __m512 second = _mm512_maskz_loadu_ps(lanes.floats[2 * j + 1], at + 16);
      sum[m][2 * j] = gather(first, kLowOrder, second);
      sum[m][2 * j + 1] = gather(first, kHighOrder, second);
    }
  }
}

template <int M>
void store_sums(const __m512 sum[M][4], const SlabLanes& lanes, float* out, int64_t out_stride) {
#pragma GCC unroll 4
  for (int m = 0; m < M; ++m) {
#pragma GCC unroll 2
    for (int j = 0; j < 2; ++j) {
      float* at = out + m * out_stride + 32 * j;
      const __m512 low = sum[m][2 * j], high = sum[m][2 * j + 1];
      _mm512_mask_storeu_ps(at, lanes.floats[2 * j], gather(low, kFirstHalf, high));
      _mm512_mask_storeu_ps(at + 16, lanes.floats[2 * j + 1], gather(low, kSecondHalf, high));
    }
  }
}

// Adds two rows of v, each of two vectors; factors[m * p_stride] holds the pair of row m.
template <int M>
[[gnu::always_inline]] inline void add_pair(const __m512i even[2], const __m512i odd[2],
                                            const __m512i factor[M], __m512 sum[M][4]) {
#pragma GCC unroll 2
  for (int j = 0; j < 2; ++j) {
    const auto low = (__m512bh)_mm512_unpacklo_epi16(even[j], odd[j]);
    const auto high = (__m512bh)_mm512_unpackhi_epi16(even[j], odd[j]);
#pragma GCC unroll 4
    for (int m = 0; m < M; ++m) {
      sum[m][2 * j] = _mm512_dpbf16_ps(sum[m][2 * j], low, (__m512bh)factor[m]);
      sum[m][2 * j + 1] = _mm512_dpbf16_ps(sum[m][2 * j + 1], high, (__m512bh)factor[m]);
    }
  }
}

// Adds `rows` rows of v, weighted by M rows of p, to one slab.
template <int M>
void accumulate_tile(const uint16_t* p, int64_t p_stride, const uint16_t* v, int64_t v_stride,
                     int64_t rows, const SlabLanes& lanes, float* out, int64_t out_stride) {
  __m512 sum[M][4];
  load_sums<M>(out, out_stride, lanes, sum);
  int64_t r = 0;
  __m512i even[2], odd[2], factor[M];
  for (; r + 2 <= rows; r += 2) {
#pragma GCC unroll 2
    for (int j = 0; j < 2; ++j) {
      even[j] = _mm512_maskz_loadu_epi16(lanes.halves[j], v + r * v_stride + 32 * j);
      odd[j] = _mm512_maskz_loadu_epi16(lanes.halves[j], v + (r + 1) * v_stride + 32 * j);
    }
#pragma GCC unroll 4
    for (int m = 0; m < M; ++m) {
      int32_t pair;
      __builtin_memcpy(&pair, p + m * p_stride + r, sizeof(pair));
      factor[m] = _mm512_set1_epi32(pair);
    }
    add_pair<M>(even, odd, factor, sum);
  }
  if (r < rows) {
#pragma GCC unroll 2
    for (int j = 0; j < 2; ++j) {
      even[j] = _mm512_maskz_loadu_epi16(lanes.halves[j], v + r * v_stride + 32 * j);
      odd[j] = _mm512_setzero_si512();
    }
#pragma GCC unroll 4
    for (int m = 0; m < M; ++m) factor[m] = _mm512_set1_epi32(p[m * p_stride + r]);
    add_pair<M>(even, odd, factor, sum);
  }
  store_sums<M>(sum, lanes, out, out_stride);
}

// The same of fewer than four rows of p, or none.
void rest_of_tiles(int64_t m_count, const uint16_t* p, int64_t p_stride, const uint16_t* v,
                   int64_t v_stride, int64_t rows, const SlabLanes& lanes, float* out,
                   int64_t out_stride) {
  switch (m_count) {
    case 3:
      return accumulate_tile<3>(p, p_stride, v, v_stride, rows, lanes, out, out_stride);
    case 2:
      return accumulate_tile<2>(p, p_stride, v, v_stride, rows, lanes, out, out_stride);
    case 1:
      return accumulate_tile<1>(p, p_stride, v, v_stride, rows, lanes, out, out_stride);
    default:
      return;
  }
}

}  // namespace

void accumulate_bf16(const uint16_t* p, int64_t p_stride, int64_t m_count, const uint16_t* v,
                     int64_t v_stride, int64_t rows, int64_t n, float* out, int64_t out_stride) {
  for (int64_t r = 0; r < rows; r += kRowBlock) {
    const int64_t count = rows - r < kRowBlock ? rows - r : kRowBlock;
    for (int64_t i = 0; i < n; i += kSlab) {
      const SlabLanes lanes(n - i);
      int64_t m = 0;
      for (; m + 4 <= m_count; m += 4) {
        accumulate_tile<4>(p + m * p_stride + r, p_stride, v + r * v_stride + i, v_stride, count,
                           lanes, out + m * out_stride + i, out_stride);
      }
      rest_of_tiles(m_count - m, p + m * p_stride + r, p_stride, v + r * v_stride + i, v_stride,
                    count, lanes, out + m * out_stride + i, out_stride);
    }
  }
}

}  // namespace minke::avx512_bf16
