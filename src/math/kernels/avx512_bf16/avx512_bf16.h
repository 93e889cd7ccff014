#pragma once

#include "math/kernels/kernels.h"

// The entries of kernels/avx512_bf16/, as described in kernels.h. math/kernels/table_avx512_bf16.cc
// puts them into the function table.

namespace minke::avx512_bf16 {

constexpr int kMostRows = 12;  // of the left operand of multiply_bf16

void round_bf16(const float* x, int64_t n, uint16_t* out);
void round_q8_0(const uint8_t* rows, int64_t row_stride, int64_t row_count, int64_t n,
                uint16_t* out);
void dot_bf16(const uint16_t* w, int64_t w_stride, int64_t rows, const uint16_t* x,
              int64_t x_stride, int64_t m_count, int64_t n, float* out, int64_t out_stride);
void accumulate_bf16(const uint16_t* p, int64_t p_stride, int64_t m_count, const uint16_t* v,
                     int64_t v_stride, int64_t rows, int64_t n, float* out, int64_t out_stride);
void pack_rows_bf16(const uint16_t* x, int64_t stride, int rows, int64_t n, uint16_t* panel);
void pack_columns_bf16(const uint16_t* x, int64_t stride, int rows, int64_t n, int width,
                       uint16_t* panel);
void multiply_bf16(const uint16_t* left, int64_t row_stride, int64_t pair_stride,
                   const uint16_t* right, int64_t pairs, int rows, int columns, bool add,
                   float* out, int64_t out_stride);

}  // namespace minke::avx512_bf16
