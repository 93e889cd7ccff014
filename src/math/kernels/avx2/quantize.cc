#include "math/kernels/avx2/run.h"

namespace minke::avx2 {
namespace {

constexpr int kBlock = 32;
// Below this a block counts as zeros (see scalar/quantize.cc).
constexpr float kTiny = 0x1p-100f;

// Bits of the largest absolute value. Bits of absolute values order like the values, with infinity
// and NaN on top.
uint32_t largest_bits(const __m256 v[4]) {
  const __m256i magnitude = _mm256_set1_epi32(0x7fffffff);
  __m256i largest = _mm256_setzero_si256();
  for (int j = 0; j < 4; ++j) {
    largest = _mm256_max_epi32(largest, _mm256_and_si256(_mm256_castps_si256(v[j]), magnitude));
  }
  __m128i four =
      _mm_max_epi32(_mm256_castsi256_si128(largest), _mm256_extracti128_si256(largest, 1));
  four = _mm_max_epi32(four, _mm_shuffle_epi32(four, 0x4e));
  four = _mm_max_epi32(four, _mm_shuffle_epi32(four, 0xb1));
  return static_cast<uint32_t>(_mm_cvtsi128_si32(four));
}

// Quantizes one block of 32 values.
float quantize_block(const float* x, uint8_t* q) {
  __m256 v[4];
  for (int j = 0; j < 4; ++j) v[j] = _mm256_loadu_ps(x + 8 * j);
  const uint32_t bits = largest_bits(v);
  float largest;
  __builtin_memcpy(&largest, &bits, sizeof largest);
  const bool finite = bits < 0x7f800000u;
  if (!finite || largest < kTiny) {
    store32(q, _mm256_setzero_si256());
    return finite ? 0.0f : __builtin_nanf("");
  }
  const __m256 inverse = _mm256_set1_ps(127.0f / largest);
  __m256i i[4];
  for (int j = 0; j < 4; ++j) i[j] = _mm256_cvtps_epi32(_mm256_mul_ps(v[j], inverse));
  // Packing works within 128-bit lanes; the permutation puts the fours back in order.
  const __m256i bytes =
      _mm256_packs_epi16(_mm256_packs_epi32(i[0], i[1]), _mm256_packs_epi32(i[2], i[3]));
  store32(q, _mm256_permutevar8x32_epi32(bytes, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7)));
  return largest / 127.0f;
}

// Quantizes values [first, first + 32) of n, those beyond n being zero.
float quantize_part(const float* x, int64_t first, int64_t n, uint8_t* q) {
  if (first + kBlock <= n) return quantize_block(x + first, q);
  float part[kBlock] = {};
  if (first < n) {
    __builtin_memcpy(part, x + first, static_cast<size_t>(n - first) * sizeof(float));
  }
  return quantize_block(part, q);
}

}  // namespace

void quantize_i8(const float* x, int64_t n, int8_t* q, float* scale, float* sum, int32_t* bias) {
  const int64_t padded = padded_columns(n);
  uint8_t natural[kRun] = {};
  float scales[16] = {};
  Run result;
  for (int64_t run = 0; run < padded; run += kRun) {
    const int64_t values = padded - run < kRun ? padded - run : kRun;
    for (int64_t i = 0; i < values; i += kBlock) {
      scales[i / kGroup] = quantize_part(x, run + i, n, natural + i);
      scales[i / kGroup + 1] = scales[i / kGroup];
    }
    interleave(natural, result);
    const int64_t groups = values / kGroup;
    int32_t biases[16];
    for (int h = 0; h < 2; ++h) {
      __m256i total = _mm256_setzero_si256();
      for (int t = 0; t < 4; ++t) {
        const __m256i pairs = _mm256_maddubs_epi16(_mm256_set1_epi8(1), result.q[t][h]);
        total = _mm256_add_epi32(total, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
      }
      store32(biases + 8 * h, _mm256_mullo_epi32(total, _mm256_set1_epi32(-128)));
      result.scale[h] = _mm256_loadu_ps(scales + 8 * h);
      result.offset[h] = _mm256_mul_ps(result.scale[h], _mm256_cvtepi32_ps(total));
    }
    // A run's offsets have the place of the group sums here.
    const int64_t g = run / kGroup;
    store_groups(result, groups, groups, q + run, scale + g, sum + g);
    __builtin_memcpy(bias + g, biases, static_cast<size_t>(groups) * sizeof(int32_t));
  }
}

void quantize_blocks(const float* x, int64_t n, ActivationBlock* out) {
  for (int64_t i = 0; i < n; i += kBlock, ++out) {
    out->scale = quantize_part(x, i, n, reinterpret_cast<uint8_t*>(out->q));
    // Lanes of 32 bits: four values each, the halves in lanes 0..3 and 4..7.
    const __m256i two = _mm256_maddubs_epi16(_mm256_set1_epi8(1), load32(out->q));
    const __m256i fours = _mm256_madd_epi16(two, _mm256_set1_epi16(1));
    const __m256i eights = _mm256_hadd_epi32(fours, fours);
    const __m256i halves = _mm256_hadd_epi32(eights, eights);
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

}  // namespace minke::avx2
