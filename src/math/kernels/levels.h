#pragma once

#include "math/kernels/kernels.h"

namespace minke {

// Enters what a level has of one quantized type.
void set_format(Kernels& k, DType type, const QuantizedFormat& format);

// Each writes the entries that its folder implements and leaves the others, so that calling those
// of the levels that a level contains, in order, gives its table.
void set_scalar_kernels(Kernels& k);
void set_avx2_kernels(Kernels& k);
void set_avx_vnni_kernels(Kernels& k);
void set_avx512_kernels(Kernels& k);
void set_avx512_bf16_kernels(Kernels& k);
void set_amx_kernels(Kernels& k);

}  // namespace minke
