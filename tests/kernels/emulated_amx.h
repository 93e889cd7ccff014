#pragma once

#include "math/kernels/kernels.h"

namespace minke {

// Lays the entries of the amx level over `k`, with plain loops in place of tile instructions: the
// same code otherwise. Needs AVX512_BF16.
void set_emulated_amx_kernels(Kernels& k);

}  // namespace minke
