#pragma once

#include <cstdint>

#include "math/tensor/dtype.h"
#include "math/tensor/tensor.h"

namespace minke {

// Reference encoders and decoders of every storage type: the definition of what a file's bytes
// mean. Plain C++; the fast unpackers of math/kernels are checked against these. One pair per
// format in this folder. Layouts: docs/formats.md.

// Decodes n values (a multiple of the type's block) starting at `row`. F8_E4M3 gives the bare
// values, without block scales.
void decode_row(DType type, const uint8_t* row, int64_t n, float* out);
// Encodes n values (a multiple of the type's block). Values must be finite. F8_E4M3 saturates at
// 448.
void encode_row(DType type, const float* values, int64_t n, uint8_t* row);
// The same as Q8_0, all blocks with the scale that the largest of the n values, a multiple of 32,
// asks for.
void encode_with_one_scale(const float* values, int64_t n, uint8_t* row);

// All values of `t` as float32 on the heap, same shape; F8 block scales applied.
Tensor decode_tensor(const Tensor& t);
// `t` (any type) re-encoded as `type`, same shape. Throws Error if the last dimension is not a
// multiple of the type's block.
Tensor encode_tensor(const Tensor& t, DType type);

// `wanted`, or the type that llama.cpp's quantizer falls back to where a row of `columns` values is
// not a multiple of its block: Q4_K -> Q5_0, Q5_K -> Q5_1, Q6_K -> Q8_0, Q2_K and Q3_K -> Q4_0,
// IQ4_XS -> IQ4_NL; F16 where even that does not fit.
DType fitting_type(DType wanted, int64_t columns);

float f16_to_f32(uint16_t bits);
uint16_t f32_to_f16(float value);  // rounds to nearest even
float bf16_to_f32(uint16_t bits);
uint16_t f32_to_bf16(float value);   // rounds to nearest even
float f8e4m3_to_f32(uint8_t bits);   // E4M3FN: no infinities, 0x7f and 0xff are NaN
uint8_t f32_to_f8e4m3(float value);  // rounds to nearest even, saturates at 448

}  // namespace minke
