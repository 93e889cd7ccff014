#include "base/cpu/isa.h"
#include "math/kernels/kernels.h"
#include "math/kernels/levels.h"

namespace minke {

void set_format(Kernels& k, DType type, const QuantizedFormat& format) {
  const auto t = static_cast<int>(type);
  k.unpack_i8[t] = format.unpack_i8;
  k.unpack_f32[t] = format.unpack_f32;
  k.product_few[t] = format.product_few;
  k.product_many[t] = format.product_many;
}

Kernels select_kernels(Isa isa) {
  Kernels k{};
  k.isa = isa;
  set_scalar_kernels(k);
  if (isa >= Isa::kAvx2) set_avx2_kernels(k);
  if (isa == Isa::kAvxVnni) set_avx_vnni_kernels(k);
  if (isa >= Isa::kAvx512) set_avx512_kernels(k);
  if (isa >= Isa::kAvx512Bf16) set_avx512_bf16_kernels(k);
  if (isa >= Isa::kAmx) set_amx_kernels(k);
  return k;
}

}  // namespace minke
