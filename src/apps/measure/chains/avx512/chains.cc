#include "apps/measure/chains/chains.h"

// GCC 12 reports its own headers' deliberately undefined vectors as uninitialised variables.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>
#pragma GCC diagnostic pop

namespace minke {
namespace {

// Sums as the instruction sees them. GCC moves accumulators of the general type __m512i between
// registers in each step.
using Sums = int32_t __attribute__((vector_size(64)));

template <int... C>
void run_vpdpbusd(const uint8_t* a, const int8_t* b, int64_t steps, int32_t* sums) {
  const __m512i va = _mm512_loadu_si512(a), vb = _mm512_loadu_si512(b);
  Sums acc[] = {reinterpret_cast<Sums>(_mm512_set1_epi32(C))...};
  for (int64_t step = 0; step < steps; ++step) {
    ((acc[C] =
          reinterpret_cast<Sums>(_mm512_dpbusd_epi32(reinterpret_cast<__m512i>(acc[C]), va, vb))),
     ...);
  }
  __m512i total = _mm512_setzero_si512();
  ((total = _mm512_add_epi32(total, reinterpret_cast<__m512i>(acc[C]))), ...);
  _mm512_storeu_si512(sums, total);
}
template <int... C>
constexpr Int8Chain vpdpbusd(Numbers<C...>) {
  return {"vpdpbusd", 16, 4, sizeof...(C), run_vpdpbusd<C...>};
}

template <int... C>
void run_vfmadd(const float* a, const float* b, int64_t steps, float* sums) {
  const __m512 va = _mm512_loadu_ps(a), vb = _mm512_loadu_ps(b);
  __m512 acc[] = {_mm512_set1_ps(C)...};
  for (int64_t step = 0; step < steps; ++step) {
    ((acc[C] = _mm512_fmadd_ps(va, vb, acc[C])), ...);
  }
  __m512 total = _mm512_setzero_ps();
  ((total = _mm512_add_ps(total, acc[C])), ...);
  _mm512_storeu_ps(sums, total);
}
template <int... C>
constexpr F32Chain vfmadd(Numbers<C...>) {
  return {"vfmadd", 16, 1, sizeof...(C), run_vfmadd<C...>};
}

}  // namespace

// Two instructions begin in each cycle and wait up to five.
const Int8Chain kVpdpbusd = vpdpbusd(Numbers16());
const F32Chain kVfmaddAvx512 = vfmadd(Numbers16());

}  // namespace minke
