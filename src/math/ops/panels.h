#pragma once

#include <cstdint>
#include <span>

#include "math/ops/context.h"

namespace minke {

// Rows of bfloat16 values: value i of row r is values[r * stride + i], or, if `by_column`,
// values[i * stride + r].
struct HalfRows {
  const uint16_t* values = nullptr;
  int64_t stride = 0;
  bool by_column = false;
};

// out[m * out_stride + n] (+)= sum_i left(m, i) * right(n, i) for m < rows, n < columns, i < inner;
// inner > 0.
struct PanelProduct {
  HalfRows left;
  int64_t rows = 0;
  HalfRows right;
  int64_t columns = 0;
  int64_t inner = 0;
  float* out = nullptr;
  int64_t out_stride = 0;
  bool add = false;
};

// Computes every product, for levels that have Kernels::multiply_bf16. They must not overlap in
// what they write. A result depends on its two rows alone; its sum is formed in runs of 512 values.
// Right operands that stand row by row are kept in Context::packed_weights(), where there are some
// and no tape.
void multiply_panels(Context& ctx, std::span<const PanelProduct> products);

}  // namespace minke
