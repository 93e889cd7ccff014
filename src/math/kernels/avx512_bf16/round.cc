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

}  // namespace minke::avx512_bf16
