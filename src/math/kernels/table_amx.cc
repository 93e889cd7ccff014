#include "math/kernels/amx/amx.h"
#include "math/kernels/levels.h"
#include "math/tensor/dtype.h"

// Compiled without instruction-set flags: it only takes addresses.

namespace minke {

void set_amx_kernels(Kernels& k) {
  for (int i = 0; i < amx::kTypes; ++i) {
    const amx::TypedProduct& product = amx::kProducts[i];
    k.product_many[static_cast<int>(dtype_from_name(product.type).value())] = product.product_many;
  }
  k.left_rows = amx::kMostRows;
  k.step_pairs = amx::kStepPairs;
  k.transpose_bf16 = amx::transpose_bf16;
  k.multiply_bf16 = amx::multiply_bf16;
}

}  // namespace minke
