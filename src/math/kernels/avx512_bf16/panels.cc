#include "math/kernels/avx512/intrinsics.h"
#include "math/kernels/avx512/transpose.h"
#include "math/kernels/avx512_bf16/avx512_bf16.h"

namespace minke::avx512_bf16 {
namespace {

__mmask32 first_halves(int64_t count) {
  return count >= 32 ? 0xffffffffu : count <= 0 ? 0 : static_cast<__mmask32>((1u << count) - 1);
}

__mmask16 first_floats(int64_t count) {
  return count >= 16 ? 0xffff : count <= 0 ? 0 : static_cast<__mmask16>((1u << count) - 1);
}

// Sixteen rows of 32 values into sixteen pairs of columns.
void pack_square(const uint16_t* x, int64_t stride, int rows, int64_t values, uint16_t* panel) {
  __m512i v[16];
  const __mmask32 present = first_halves(values);
#pragma GCC unroll 16
  for (int r = 0; r < 16; ++r) {
    v[r] = r < rows ? _mm512_maskz_loadu_epi16(present, x + r * stride) : _mm512_setzero_si512();
  }
  avx512::transpose16(v);
  const int64_t pairs = values >= 32 ? 16 : (values + 1) / 2;
#pragma GCC unroll 16
  for (int p = 0; p < 16; ++p) {
    if (p < pairs) _mm512_storeu_si512(panel + p * 2 * kPanelWidth, v[p]);
  }
}

// Words 16..31 of two vectors in turn; the others are avx512::kLowPairs.
const uint16_t kHighPairs[32] = {16, 48, 17, 49, 18, 50, 19, 51, 20, 52, 21, 53, 22, 54, 23, 55,
                                 24, 56, 25, 57, 26, 58, 27, 59, 28, 60, 29, 61, 30, 62, 31, 63};

// Brings what the tile behind this one needs to the first-level cache, with each pair of values a
// line of the left operand (of 16 rows in turn, of which it has at most 12: a power of two is
// cheaper) and one of the result: the processor does not foresee so many rows at once. Packed
// columns are in that cache already.
template <int M>
class Ahead {
 public:
  Ahead(const uint16_t* left, int64_t row_stride, int64_t pair_stride, float* out,
        int64_t out_stride)
      : left_(pair_stride == 2 ? left + M * row_stride : left),
        row_stride_(pair_stride == 2 ? row_stride : 0),
        out_(out + M * out_stride),
        out_stride_(out_stride) {}
  [[gnu::always_inline]] void fetch(int64_t p) const {
    constexpr int kLine = 16;  // pairs, and floats
    _mm_prefetch(left_ + p % kLine * row_stride_ + p / kLine * 2 * kLine, _MM_HINT_T0);
    const int64_t line = p < 2 * M ? p : 2 * M - 1;
    __builtin_prefetch(out_ + line / 2 * out_stride_ + line % 2 * kLine, 1);
  }

 private:
  const uint16_t* left_;
  int64_t row_stride_;
  float* out_;
  int64_t out_stride_;
};

// M rows times a panel. Rows are reached from four pointers, two strides from each at most.
template <int M>
void multiply_tile(const uint16_t* left, int64_t row_stride, int64_t pair_stride,
                   const uint16_t* right, int64_t pairs, int columns, bool add, float* out,
                   int64_t out_stride) {
  const __mmask16 lanes[2] = {first_floats(columns), first_floats(columns - 16)};
  __m512 sum[M][2];
#pragma GCC unroll 12
  for (int m = 0; m < M; ++m) {
#pragma GCC unroll 2
    for (int j = 0; j < 2; ++j) {
      sum[m][j] = add ? _mm512_maskz_loadu_ps(lanes[j], out + m * out_stride + 16 * j)
                      : _mm512_setzero_ps();
    }
  }
  const uint16_t* three[4] = {left, left + 3 * row_stride, left + 6 * row_stride,
                              left + 9 * row_stride};
  const Ahead<M> ahead(left, row_stride, pair_stride, out, out_stride);
  for (int64_t p = 0; p < pairs; ++p) {
    ahead.fetch(p);
    const auto first = (__m512bh)_mm512_loadu_si512(right + p * 2 * kPanelWidth);
    const auto second = (__m512bh)_mm512_loadu_si512(right + p * 2 * kPanelWidth + 32);
#pragma GCC unroll 12
    for (int m = 0; m < M; ++m) {
      int32_t pair;
      __builtin_memcpy(&pair, three[m / 3] + m % 3 * row_stride, sizeof(pair));
      const auto factor = (__m512bh)_mm512_set1_epi32(pair);
      sum[m][0] = _mm512_dpbf16_ps(sum[m][0], first, factor);
      sum[m][1] = _mm512_dpbf16_ps(sum[m][1], second, factor);
    }
#pragma GCC unroll 4
    for (int i = 0; i < (M + 2) / 3; ++i) three[i] += pair_stride;
  }
#pragma GCC unroll 12
  for (int m = 0; m < M; ++m) {
#pragma GCC unroll 2
    for (int j = 0; j < 2; ++j) {
      _mm512_mask_storeu_ps(out + m * out_stride + 16 * j, lanes[j], sum[m][j]);
    }
  }
}

using Tile = void (*)(const uint16_t*, int64_t, int64_t, const uint16_t*, int64_t, int, bool,
                      float*, int64_t);
const Tile kTiles[kMostRows] = {
    multiply_tile<1>, multiply_tile<2>,  multiply_tile<3>,  multiply_tile<4>,
    multiply_tile<5>, multiply_tile<6>,  multiply_tile<7>,  multiply_tile<8>,
    multiply_tile<9>, multiply_tile<10>, multiply_tile<11>, multiply_tile<12>,
};

}  // namespace

void pack_rows_bf16(const uint16_t* x, int64_t stride, int rows, int64_t n, uint16_t* panel) {
  for (int64_t i = 0; i < n; i += 32) {
    for (int r = 0; r < kPanelWidth; r += 16) {
      pack_square(x + r * stride + i, stride, rows - r, n - i, panel + i * kPanelWidth + 2 * r);
    }
  }
}

void pack_columns_bf16(const uint16_t* x, int64_t stride, int rows, int64_t n, int width,
                       uint16_t* panel) {
  const __m512i low = _mm512_loadu_si512(avx512::kLowPairs), high = _mm512_loadu_si512(kHighPairs);
  for (int64_t i = 0; i < n; i += 2) {
    for (int r = 0; r < width; r += 32) {
      const __mmask32 present = first_halves(rows - r);
      const uint16_t* from = x + i * stride + r;
      const __m512i even = _mm512_maskz_loadu_epi16(present, from);
      const __m512i odd =
          i + 1 < n ? _mm512_maskz_loadu_epi16(present, from + stride) : _mm512_setzero_si512();
      uint16_t* to = panel + i * width + 2 * r;
      _mm512_storeu_si512(to, _mm512_permutex2var_epi16(even, low, odd));
      _mm512_storeu_si512(to + 32, _mm512_permutex2var_epi16(even, high, odd));
    }
  }
}

void multiply_bf16(const uint16_t* left, int64_t row_stride, int64_t pair_stride,
                   const uint16_t* right, int64_t pairs, int rows, int columns, bool add,
                   float* out, int64_t out_stride) {
  kTiles[rows - 1](left, row_stride, pair_stride, right, pairs, columns, add, out, out_stride);
}

}  // namespace minke::avx512_bf16
