#include "evex_avx_vnni.h"

#include "math/kernels/avx_vnni/products.h"

// Compiled with the flags of the avx512 folder, so it follows that folder's rules.

namespace minke {

extern const avx_vnni::TypedProducts* const kEvexProducts = avx_vnni::kProductsOfTypes;

}  // namespace minke
