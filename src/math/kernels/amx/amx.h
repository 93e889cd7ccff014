#pragma once

#include "math/kernels/kernels.h"

// The entries of kernels/amx/, as described in kernels.h. math/kernels/table_amx.cc puts them into
// the function table.

namespace minke::amx {

// Kernels::product_many of the type of that name.
struct TypedProduct {
  const char* type;
  void (*product_many)(const uint8_t* rows, int64_t row_stride, int row_count, int64_t n,
                       const ActivationBlock* x, int64_t x_stride, int64_t m_count, float* out,
                       int64_t out_stride);
};
constexpr int kTypes = 13;
extern const TypedProduct* const kProducts;  // [kTypes]

// Enters `products`, [kTypes], into the table.
void set_products(Kernels& k, const TypedProduct* products);

constexpr int kMostRows = 32;   // of the left operand of multiply_bf16
constexpr int kStepPairs = 16;  // that its tiles add together

void transpose_bf16(const uint16_t* x, int64_t stride, int rows, int64_t n, uint16_t* out,
                    int64_t out_stride);
void multiply_bf16(const uint16_t* left, int64_t row_stride, int64_t pair_stride,
                   const uint16_t* right, int64_t pairs, int rows, int columns, bool add,
                   float* out, int64_t out_stride);

}  // namespace minke::amx
