#include "math/kernels/avx_vnni/avx_vnni.h"
#include "math/kernels/levels.h"
#include "math/tensor/dtype.h"

// Compiled without instruction-set flags: it only takes addresses.

namespace minke {

void set_avx_vnni_kernels(Kernels& k) {
  for (int i = 0; i < avx_vnni::kTypes; ++i) {
    const avx_vnni::TypedProducts& products = avx_vnni::kProducts[i];
    const auto type = static_cast<int>(dtype_from_name(products.type).value());
    k.product_few[type] = products.product_few;
    k.product_many[type] = products.product_many;
  }
}

}  // namespace minke
