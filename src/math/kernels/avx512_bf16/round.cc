#include "math/kernels/avx512/intrinsics.h"
#include "math/kernels/avx512_bf16/avx512_bf16.h"

namespace minke::avx512_bf16 {
namespace {

// In integers: vcvtneps2bf16 would take subnormal values for zeros.
__m256i round_sixteen(__m512 x) {
  const __m512i bits = _mm512_castps_si512(x);
  const __m512i high = _mm512_srli_epi32(bits, 16);
  const __m512i odd = _mm512_and_si512(high, _mm512_set1_epi32(1));
  const __m512i half = _mm512_add_epi32(_mm512_set1_epi32(0x7fff), odd);
  const __m512i rounded = _mm512_srli_epi32(_mm512_add_epi32(bits, half), 16);
  const __mmask16 is_nan = _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q);
  const __m512i quiet = _mm512_or_si512(high, _mm512_set1_epi32(0x40));
  return _mm512_cvtepi32_epi16(_mm512_mask_mov_epi32(rounded, is_nan, quiet));
}

}  // namespace

void round_bf16(const float* x, int64_t n, uint16_t* out) {
  int64_t i = 0;
  for (; i + 16 <= n; i += 16) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + i), round_sixteen(_mm512_loadu_ps(x + i)));
  }
  if (i == n) return;
  const auto lanes = static_cast<__mmask16>((1u << (n - i)) - 1);
  _mm256_mask_storeu_epi16(out + i, lanes, round_sixteen(_mm512_maskz_loadu_ps(lanes, x + i)));
}

}  // namespace minke::avx512_bf16
