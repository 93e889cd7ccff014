#include "math/kernels/avx512/intrinsics.h"
#include "math/kernels/avx512_bf16/avx512_bf16.h"

namespace minke::avx512_bf16 {

void round_bf16(const float* x, int64_t n, uint16_t* out) {
  int64_t i = 0;
  for (; i + 32 <= n; i += 32) {
    _mm512_storeu_si512(
        out + i, (__m512i)_mm512_cvtne2ps_pbh(_mm512_loadu_ps(x + i + 16), _mm512_loadu_ps(x + i)));
  }
  for (; i < n; i += 16) {
    const auto lanes = static_cast<__mmask16>(n - i >= 16 ? 0xffff : (1u << (n - i)) - 1);
    _mm256_mask_storeu_epi16(out + i, lanes,
                             (__m256i)_mm512_cvtneps_pbh(_mm512_maskz_loadu_ps(lanes, x + i)));
  }
}

void round_q8_0(const uint8_t* rows, int64_t row_stride, int64_t row_count, int64_t n,
                uint16_t* out) {
  // A half-precision scale, then 32 values.
  constexpr int64_t kBlock = 32, kScaleBytes = 2;
  const auto sixteen = [](const uint8_t* codes, __m512 scale) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(codes));
    return _mm512_mul_ps(scale, _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(bytes)));
  };
  for (int64_t r = 0; r < row_count; ++r) {
    const uint8_t* block = rows + r * row_stride;
    for (int64_t i = 0; i < n; i += kBlock, block += kScaleBytes + kBlock) {
      int16_t half;
      __builtin_memcpy(&half, block, sizeof half);
      const __m512 scale = _mm512_cvtph_ps(_mm256_set1_epi16(half));
      const __m512 low = sixteen(block + kScaleBytes, scale);
      const __m512 high = sixteen(block + kScaleBytes + 16, scale);
      _mm512_storeu_si512(out + r * n + i, (__m512i)_mm512_cvtne2ps_pbh(high, low));
    }
  }
}

}  // namespace minke::avx512_bf16
