#include "apps/measure/chains/chains.h"

// GCC 12 reports its own headers' deliberately undefined vectors as uninitialised variables.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>
#pragma GCC diagnostic pop

namespace minke {
namespace {

template <int... C>
void run_vdpbf16ps(const uint16_t* a, const uint16_t* b, int64_t steps, float* sums) {
  const auto va = reinterpret_cast<__m512bh>(_mm512_loadu_si512(a));
  const auto vb = reinterpret_cast<__m512bh>(_mm512_loadu_si512(b));
  __m512 acc[] = {_mm512_set1_ps(C)...};
  for (int64_t step = 0; step < steps; ++step) {
    ((acc[C] = _mm512_dpbf16_ps(acc[C], va, vb)), ...);
  }
  __m512 total = _mm512_setzero_ps();
  ((total = _mm512_add_ps(total, acc[C])), ...);
  _mm512_storeu_ps(sums, total);
}
template <int... C>
constexpr Bf16Chain vdpbf16ps(Numbers<C...>) {
  return {"vdpbf16ps", 16, 2, sizeof...(C), run_vdpbf16ps<C...>};
}

}  // namespace

// Two instructions begin in each cycle and wait up to six.
const Bf16Chain kVdpbf16ps = vdpbf16ps(Numbers16());

}  // namespace minke
