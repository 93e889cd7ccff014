#pragma once

#include "math/kernels/amx/amx.h"

// The entries of the amx level with plain loops in place of tile instructions: the same code
// otherwise. They need AVX512_BF16.

namespace minke {

extern const amx::TypedProduct* const kEmulatedProducts;  // [amx::kTypes]
void multiply_bf16_emulated(const uint16_t* left, int64_t row_stride, int64_t pair_stride,
                            const uint16_t* right, int64_t pairs, int rows, int columns, bool add,
                            float* out, int64_t out_stride);
// As a kernel must leave them; otherwise the system would save them at every switch of threads.
bool emulated_tiles_are_released();

}  // namespace minke
