#include "math/kernels/amx/amx.h"
#include "math/kernels/levels.h"
#include "math/tensor/dtype.h"

// Compiled without instruction-set flags: it only takes addresses.

namespace minke {

void amx::set_products(Kernels& k, const TypedProduct* products) {
  for (int i = 0; i < kTypes; ++i) {
    const auto type = static_cast<int>(dtype_from_name(products[i].type).value());
    k.product_many[type] = products[i].product_many;
  }
}

void set_amx_kernels(Kernels& k) {
  amx::set_products(k, amx::kProducts);
  k.left_rows = amx::kMostRows;
  k.step_pairs = amx::kStepPairs;
  k.transpose_bf16 = amx::transpose_bf16;
  k.multiply_bf16 = amx::multiply_bf16;
}

}  // namespace minke
