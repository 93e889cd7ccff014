#pragma once

#include "math/kernels/avx_vnni/avx_vnni.h"

// The entries of the avx_vnni level with their instruction in the encoding of AVX-512: the same
// code otherwise. They need AVX512_VNNI and AVX512VL.

namespace minke {

extern const avx_vnni::TypedProducts* const kEvexProducts;  // [avx_vnni::kTypes]

}  // namespace minke
