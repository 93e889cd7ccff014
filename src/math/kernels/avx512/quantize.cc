#include "math/kernels/avx512/run.h"

namespace minke::avx512 {
namespace {

constexpr int kBlock = 32;

// Quantizes one block; `in` selects the values of its two groups that exist.
float quantize_block(const float* x, const __mmask16 in[2], int8_t* q) {
  const __m512 a = _mm512_maskz_loadu_ps(in[0], x);
  const __m512 b = _mm512_maskz_loadu_ps(in[1], x + kGroup);
  // Bits of absolute values order like the values, with infinity and NaN on top.
  const __m512i magnitude = _mm512_set1_epi32(0x7fffffff);
  const __m512i a_bits = _mm512_and_si512(_mm512_castps_si512(a), magnitude);
  const __m512i b_bits = _mm512_and_si512(_mm512_castps_si512(b), magnitude);
  const uint32_t largest_bits = _mm512_reduce_max_epu32(_mm512_max_epu32(a_bits, b_bits));
  float largest;
  __builtin_memcpy(&largest, &largest_bits, sizeof largest);
  const bool finite = largest_bits < 0x7f800000u;
  if (!finite || largest < kTiny) {
    _mm256_store_si256(reinterpret_cast<__m256i*>(q), _mm256_setzero_si256());
    return finite ? 0.0f : __builtin_nanf("");
  }
  const __m512 inverse = _mm512_set1_ps(127.0f / largest);
  const __m128i a_q = _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(_mm512_mul_ps(a, inverse)));
  const __m128i b_q = _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(_mm512_mul_ps(b, inverse)));
  _mm256_store_si256(reinterpret_cast<__m256i*>(q), _mm256_set_m128i(b_q, a_q));
  return largest / 127.0f;
}

}  // namespace

void quantize_i8(const float* x, int64_t n, int8_t* q, float* scale, float* sum, int32_t* bias) {
  const int64_t padded = padded_columns(n);
  alignas(64) int8_t natural[kRun] = {};
  alignas(64) float scales[16] = {};
  for (int64_t run = 0; run < padded; run += kRun) {
    const int64_t values = padded - run < kRun ? padded - run : kRun;
    for (int64_t i = 0; i < values; i += kBlock) {
      const __mmask16 in[2] = {lanes_at(run + i, n), lanes_at(run + i + kGroup, n)};
      scales[i / kGroup] = quantize_block(x + run + i, in, natural + i);
      scales[i / kGroup + 1] = scales[i / kGroup];
    }
    __m512i in_order[4];
    for (int k = 0; k < 4; ++k) in_order[k] = _mm512_load_si512(natural + 64 * k);
    __m512i quarters[4];
    interleave(in_order, quarters);

    const int64_t groups = values / kGroup;
    const __mmask16 lanes = first_lanes(static_cast<int>(groups));
    __m512i total = _mm512_setzero_si512();
    for (int t = 0; t < 4; ++t) {
      total = _mm512_dpbusd_epi32(total, _mm512_set1_epi8(1), quarters[t]);
      _mm512_mask_storeu_epi32(q + run + 4 * groups * t, lanes, quarters[t]);
    }
    const __m512 group_scales = _mm512_load_ps(scales);
    const int64_t g = run / kGroup;
    _mm512_mask_storeu_ps(scale + g, lanes, group_scales);
    _mm512_mask_storeu_ps(sum + g, lanes, _mm512_mul_ps(group_scales, _mm512_cvtepi32_ps(total)));
    _mm512_mask_storeu_epi32(bias + g, lanes, _mm512_mullo_epi32(total, _mm512_set1_epi32(-128)));
  }
}

void quantize_blocks(const float* x, int64_t n, ActivationBlock* out) {
  for (int64_t i = 0; i < n; i += kActivationBlock, ++out) {
    const __mmask16 in[2] = {lanes_at(i, n), lanes_at(i + kGroup, n)};
    out->scale = quantize_block(x + i, in, out->q);
    // Lanes of 32 bits: four values each, the halves in lanes 0..3 and 4..7.
    const __m256i q = _mm256_load_si256(reinterpret_cast<const __m256i*>(out->q));
    const __m256i fours = _mm256_dpbusd_epi32(_mm256_setzero_si256(), _mm256_set1_epi8(1), q);
    const __m256i pairs = _mm256_hadd_epi32(fours, fours);
    const __m256i halves = _mm256_hadd_epi32(pairs, pairs);
    const int first = _mm256_extract_epi32(halves, 0);
    const int second = _mm256_extract_epi32(halves, 4);
    const int totals[3] = {first + second, first, second};
    for (int part = 0; part < 3; ++part) {
      out->sum[part] = out->scale * static_cast<float>(totals[part]);
      out->bias[part] = -128 * totals[part];
    }
    out->unused = 0;
  }
}

}  // namespace minke::avx512
