#include "apps/measure/chains/chains.h"

#include <immintrin.h>

namespace minke {
namespace {

// Sums as the instruction sees them. GCC moves accumulators of the general type __m256i between
// registers in each step.
using Sums = int32_t __attribute__((vector_size(32)));

template <int... C>
void run_vpdpbusd(const uint8_t* a, const int8_t* b, int64_t steps, int32_t* sums) {
  const __m256i va = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(a));
  const __m256i vb = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(b));
  Sums acc[] = {reinterpret_cast<Sums>(_mm256_set1_epi32(C))...};
  for (int64_t step = 0; step < steps; ++step) {
    ((acc[C] =
          reinterpret_cast<Sums>(_mm256_dpbusd_epi32(reinterpret_cast<__m256i>(acc[C]), va, vb))),
     ...);
  }
  __m256i total = _mm256_setzero_si256();
  ((total = _mm256_add_epi32(total, reinterpret_cast<__m256i>(acc[C]))), ...);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(sums), total);
}
template <int... C>
constexpr Int8Chain vpdpbusd(Numbers<C...>) {
  return {"vpdpbusd", 8, 4, sizeof...(C), run_vpdpbusd<C...>};
}

}  // namespace

// Two instructions begin in each cycle and wait up to five; there are 16 registers.
const Int8Chain kVpdpbusdAvx = vpdpbusd(Numbers12());

}  // namespace minke
