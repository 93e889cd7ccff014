#include "math/kernels/avx_vnni/avx_vnni.h"
#include "math/kernels/levels.h"
#include "math/tensor/dtype.h"

// Compiled without instruction-set flags: it only takes addresses.

namespace minke {

void avx_vnni::set_products(Kernels& k, const TypedProducts* products) {
  for (int i = 0; i < kTypes; ++i) {
    const auto type = static_cast<int>(dtype_from_name(products[i].type).value());
    k.product_few[type] = products[i].product_few;
    k.product_many[type] = products[i].product_many;
  }
}

void set_avx_vnni_kernels(Kernels& k) {
  avx_vnni::set_products(k, avx_vnni::kProducts);
}

}  // namespace minke
