#pragma once

#include "math/kernels/kernels.h"

// The entries of kernels/amx/, as described in kernels.h. math/kernels/table_amx.cc puts them into
// the function table.

namespace minke::amx {

// Kernels::product_many of a type.
using ProductMany = void (*)(const uint8_t* rows, int64_t row_stride, int row_count, int64_t n,
                             const ActivationBlock* x, int64_t x_stride, int64_t m_count,
                             float* out, int64_t out_stride);

extern const ProductMany kQ4_0, kQ4_1, kQ5_0, kQ5_1, kQ8_0, kIQ4_NL, kMXFP4;
extern const ProductMany kQ2_K, kQ3_K, kQ4_K, kQ5_K, kQ6_K, kIQ4_XS;

constexpr int kMostRows = 32;   // of the left operand of multiply_bf16
constexpr int kStepPairs = 16;  // that its tiles add together

void transpose_bf16(const uint16_t* x, int64_t stride, int rows, int64_t n, uint16_t* out,
                    int64_t out_stride);
void multiply_bf16(const uint16_t* left, int64_t row_stride, int64_t pair_stride,
                   const uint16_t* right, int64_t pairs, int rows, int columns, bool add,
                   float* out, int64_t out_stride);

}  // namespace minke::amx
