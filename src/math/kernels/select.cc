#include "base/cpu/isa.h"
#include "math/kernels/kernels.h"
#include "math/kernels/levels.h"

namespace minke {

Kernels select_kernels(Isa isa) {
  Kernels k{};
  k.isa = isa;
  set_scalar_kernels(k);
  if (isa >= Isa::kAvx2) set_avx2_kernels(k);
  if (isa >= Isa::kAvx512) set_avx512_kernels(k);
  if (isa >= Isa::kAvx512Bf16) set_avx512_bf16_kernels(k);
  return k;
}

}  // namespace minke
