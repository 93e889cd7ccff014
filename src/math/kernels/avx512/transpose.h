#pragma once

#include <stdint.h>

#include "math/kernels/avx512/intrinsics.h"

namespace minke::avx512 {
namespace {

// Words 0..15, and 16..31, of two vectors in turn, for _mm512_permutex2var_epi16.
const uint16_t kLowPairs[32] = {0, 32, 1, 33, 2,  34, 3,  35, 4,  36, 5,  37, 6,  38, 7,  39,
                                8, 40, 9, 41, 10, 42, 11, 43, 12, 44, 13, 45, 14, 46, 15, 47};

// Lane j of register i becomes lane i of register j.
[[gnu::always_inline]] inline void transpose16(__m512i (&v)[16]) {
  __m512i a[16];
#pragma GCC unroll 8
  for (int i = 0; i < 16; i += 2) {
    a[i] = _mm512_unpacklo_epi32(v[i], v[i + 1]);
    a[i + 1] = _mm512_unpackhi_epi32(v[i], v[i + 1]);
  }
  // v[4k + j]: in each 128-bit lane L, column 4L + j of rows 4k..4k+3.
#pragma GCC unroll 4
  for (int i = 0; i < 16; i += 4) {
    v[i] = _mm512_unpacklo_epi64(a[i], a[i + 2]);
    v[i + 1] = _mm512_unpackhi_epi64(a[i], a[i + 2]);
    v[i + 2] = _mm512_unpacklo_epi64(a[i + 1], a[i + 3]);
    v[i + 3] = _mm512_unpackhi_epi64(a[i + 1], a[i + 3]);
  }
#pragma GCC unroll 4
  for (int j = 0; j < 4; ++j) {
    const __m512i low = _mm512_shuffle_i32x4(v[j], v[4 + j], 0x44);
    const __m512i low_high = _mm512_shuffle_i32x4(v[j], v[4 + j], 0xee);
    const __m512i high = _mm512_shuffle_i32x4(v[8 + j], v[12 + j], 0x44);
    const __m512i high_high = _mm512_shuffle_i32x4(v[8 + j], v[12 + j], 0xee);
    a[j] = _mm512_shuffle_i32x4(low, high, 0x88);
    a[4 + j] = _mm512_shuffle_i32x4(low, high, 0xdd);
    a[8 + j] = _mm512_shuffle_i32x4(low_high, high_high, 0x88);
    a[12 + j] = _mm512_shuffle_i32x4(low_high, high_high, 0xdd);
  }
#pragma GCC unroll 16
  for (int i = 0; i < 16; ++i) v[i] = a[i];
}

}  // namespace
}  // namespace minke::avx512
