#include "apps/measure/chains/chains.h"

#include <immintrin.h>

namespace minke {
namespace {

// Sums as the instruction sees them. GCC moves accumulators of the general type __m256i between
// registers in each step.
using Sums = int32_t __attribute__((vector_size(32)));

// `v`, of which the compiler does not know that it is what it was, so that products are not taken
// out of the loop.
[[gnu::always_inline]] inline __m256i fresh(__m256i& v) {
  asm volatile("" : "+x"(v));
  return v;
}

template <int... C>
void run_vpmaddubsw(const uint8_t* a, const int8_t* b, int64_t steps, int32_t* sums) {
  __m256i va = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(a));
  const __m256i vb = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(b));
  const __m256i ones = _mm256_set1_epi16(1);
  Sums acc[] = {reinterpret_cast<Sums>(_mm256_set1_epi32(C))...};
  for (int64_t step = 0; step < steps; ++step) {
    ((acc[C] = reinterpret_cast<Sums>(
          _mm256_add_epi32(reinterpret_cast<__m256i>(acc[C]),
                           _mm256_madd_epi16(_mm256_maddubs_epi16(fresh(va), vb), ones)))),
     ...);
  }
  __m256i total = _mm256_setzero_si256();
  ((total = _mm256_add_epi32(total, reinterpret_cast<__m256i>(acc[C]))), ...);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(sums), total);
}
template <int... C>
constexpr Int8Chain vpmaddubsw(Numbers<C...>) {
  return {"vpmaddubsw", 8, 4, sizeof...(C), run_vpmaddubsw<C...>};
}

template <int... C>
void run_vfmadd(const float* a, const float* b, int64_t steps, float* sums) {
  const __m256 va = _mm256_loadu_ps(a), vb = _mm256_loadu_ps(b);
  __m256 acc[] = {_mm256_set1_ps(C)...};
  for (int64_t step = 0; step < steps; ++step) {
    ((acc[C] = _mm256_fmadd_ps(va, vb, acc[C])), ...);
  }
  __m256 total = _mm256_setzero_ps();
  ((total = _mm256_add_ps(total, acc[C])), ...);
  _mm256_storeu_ps(sums, total);
}
template <int... C>
constexpr F32Chain vfmadd(Numbers<C...>) {
  return {"vfmadd", 8, 1, sizeof...(C), run_vfmadd<C...>};
}

}  // namespace

// Additions wait one cycle; of multiply-adds two begin in each cycle and wait up to five, and there
// are 16 registers.
const Int8Chain kVpmaddubsw = vpmaddubsw(Numbers8());
const F32Chain kVfmaddAvx2 = vfmadd(Numbers12());

}  // namespace minke
