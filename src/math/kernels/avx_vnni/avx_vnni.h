#pragma once

#include "math/kernels/kernels.h"

// The entries of kernels/avx_vnni/, as described in kernels.h. math/kernels/table_avx_vnni.cc puts
// them into the function table.

namespace minke::avx_vnni {

// Products with the rows of the type of that name.
struct TypedProducts {
  const char* type;
  void (*product_few)(const uint8_t* rows, int64_t row_stride, int row_count, int64_t n,
                      QuantizedRows x, int64_t m_count, float* out, int64_t out_stride);
  void (*product_many)(const uint8_t* rows, int64_t row_stride, int row_count, int64_t n,
                       const ActivationBlock* x, int64_t x_stride, int64_t m_count, float* out,
                       int64_t out_stride);
};
constexpr int kTypes = 13;
extern const TypedProducts* const kProducts;  // [kTypes]

// Enters `products`, [kTypes], into the table.
void set_products(Kernels& k, const TypedProducts* products);

}  // namespace minke::avx_vnni
