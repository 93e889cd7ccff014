#include "math/kernels/amx/amx.h"
#include "math/kernels/amx/multiply_bf16.h"
#include "math/kernels/avx512/transpose.h"

namespace minke::amx {
namespace {

// Values [0, values) of up to 16 rows; values <= 32.
void transpose_square(const uint16_t* x, int64_t stride, int rows, int values, uint16_t* out,
                      int64_t out_stride) {
  const auto there = static_cast<__mmask16>((1u << rows) - 1);
  const __m512i pairs = _mm512_loadu_si512(avx512::kLowPairs);
  const auto load = [&](int i) {
    return _mm512_castsi256_si512(i < values ? _mm256_maskz_loadu_epi16(there, x + i * stride)
                                             : _mm256_setzero_si256());
  };
  // Lane r of v[p]: values 2p and 2p + 1 of row r.
  __m512i v[16];
#pragma GCC unroll 16
  for (int p = 0; p < 16; ++p)
    v[p] = _mm512_permutex2var_epi16(load(2 * p), pairs, load(2 * p + 1));
  avx512::transpose16(v);
  const auto whole = static_cast<__mmask32>(values == 32 ? ~0u : (1u << values) - 1);
#pragma GCC unroll 16
  for (int r = 0; r < 16; ++r) {
    if (r < rows) _mm512_mask_storeu_epi16(out + r * out_stride, whole, v[r]);
  }
}

}  // namespace

void transpose_bf16(const uint16_t* x, int64_t stride, int rows, int64_t n, uint16_t* out,
                    int64_t out_stride) {
  for (int r = 0; r < rows; r += 16) {
    for (int64_t i = 0; i < n; i += 32) {
      transpose_square(x + i * stride + r, stride, rows - r < 16 ? rows - r : 16,
                       n - i < 32 ? static_cast<int>(n - i) : 32, out + r * out_stride + i,
                       out_stride);
    }
  }
}

void multiply_bf16(const uint16_t* left, int64_t row_stride, int64_t pair_stride,
                   const uint16_t* right, int64_t pairs, int rows, int columns, bool add,
                   float* out, int64_t out_stride) {
  multiply_half_tiles<HardwareTiles>(left, row_stride, pair_stride, right, pairs, rows, columns,
                                     add, out, out_stride);
}

}  // namespace minke::amx
