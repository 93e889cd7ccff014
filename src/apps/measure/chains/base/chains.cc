#include "apps/measure/chains/chains.h"

#include <emmintrin.h>

namespace minke {
namespace {

// Sums as the instruction sees them. GCC moves accumulators of the general type __m128i between
// registers in each step.
using Sums = int32_t __attribute__((vector_size(16)));

// `v`, of which the compiler does not know that it is what it was, so that products are not taken
// out of the loop.
template <typename V>
[[gnu::always_inline]] inline V fresh(V& v) {
  asm volatile("" : "+x"(v));
  return v;
}

template <int... C>
void run_pmaddwd(const uint8_t* a, const int8_t* b, int64_t steps, int32_t* sums) {
  const __m128i zero = _mm_setzero_si128();
  const __m128i bytes_a = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(a));
  const __m128i bytes_b = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(b));
  __m128i va = _mm_unpacklo_epi8(bytes_a, zero);
  const __m128i vb = _mm_srai_epi16(_mm_unpacklo_epi8(zero, bytes_b), 8);
  Sums acc[] = {reinterpret_cast<Sums>(_mm_set1_epi32(C))...};
  for (int64_t step = 0; step < steps; ++step) {
    ((acc[C] = reinterpret_cast<Sums>(
          _mm_add_epi32(reinterpret_cast<__m128i>(acc[C]), _mm_madd_epi16(fresh(va), vb)))),
     ...);
  }
  __m128i total = zero;
  ((total = _mm_add_epi32(total, reinterpret_cast<__m128i>(acc[C]))), ...);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(sums), total);
}
template <int... C>
constexpr Int8Chain pmaddwd(Numbers<C...>) {
  return {"pmaddwd", 4, 2, sizeof...(C), run_pmaddwd<C...>};
}

template <int... C>
void run_mulps(const float* a, const float* b, int64_t steps, float* sums) {
  __m128 va = _mm_loadu_ps(a);
  const __m128 vb = _mm_loadu_ps(b);
  __m128 acc[] = {_mm_set1_ps(C)...};
  for (int64_t step = 0; step < steps; ++step) {
    ((acc[C] = _mm_add_ps(acc[C], _mm_mul_ps(fresh(va), vb))), ...);
  }
  __m128 total = _mm_setzero_ps();
  ((total = _mm_add_ps(total, acc[C])), ...);
  _mm_storeu_ps(sums, total);
}
template <int... C>
constexpr F32Chain mulps(Numbers<C...>) {
  return {"mulps", 4, 1, sizeof...(C), run_mulps<C...>};
}

}  // namespace

// Eight: additions wait for the ones before, multiplications do not.
const Int8Chain kPmaddwd = pmaddwd(Numbers8());
const F32Chain kMulps = mulps(Numbers8());

}  // namespace minke
