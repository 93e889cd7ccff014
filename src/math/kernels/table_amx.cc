#include "math/kernels/amx/amx.h"
#include "math/kernels/levels.h"
#include "math/tensor/dtype.h"

// Compiled without instruction-set flags: it only takes addresses.

namespace minke {

void set_amx_kernels(Kernels& k) {
  const auto set = [&](DType type, amx::ProductMany product) {
    k.product_many[static_cast<int>(type)] = product;
  };
  set(DType::kQ4_0, amx::kQ4_0);
  set(DType::kQ4_1, amx::kQ4_1);
  set(DType::kQ5_0, amx::kQ5_0);
  set(DType::kQ5_1, amx::kQ5_1);
  set(DType::kQ8_0, amx::kQ8_0);
  set(DType::kQ2_K, amx::kQ2_K);
  set(DType::kQ3_K, amx::kQ3_K);
  set(DType::kQ4_K, amx::kQ4_K);
  set(DType::kQ5_K, amx::kQ5_K);
  set(DType::kQ6_K, amx::kQ6_K);
  set(DType::kIQ4_NL, amx::kIQ4_NL);
  set(DType::kIQ4_XS, amx::kIQ4_XS);
  set(DType::kMXFP4, amx::kMXFP4);
  k.left_rows = amx::kMostRows;
  k.step_pairs = amx::kStepPairs;
  k.transpose_bf16 = amx::transpose_bf16;
  k.multiply_bf16 = amx::multiply_bf16;
}

}  // namespace minke
