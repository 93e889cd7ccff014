#include "math/kernels/avx_vnni/products.h"

namespace minke::avx_vnni {

extern const TypedProducts* const kProducts = kProductsOfTypes;

}  // namespace minke::avx_vnni
