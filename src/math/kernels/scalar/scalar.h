#pragma once

#include "math/kernels/kernels.h"

// The entries of kernels/scalar/, as described in kernels.h.

namespace minke::scalar {

void set_blocks32(Kernels& k);  // unpackers of the formats with blocks of 32 values
void set_k_quants(Kernels& k);  // unpackers of the formats with blocks of 256 values
void set_floats(Kernels& k);    // converters of the float formats

void quantize_i8(const float* x, int64_t n, int8_t* q, float* scale, float* sum, int32_t* bias);
void quantize_blocks(const float* x, int64_t n, ActivationBlock* out);
void dot_i8(UnpackedRow w, int rows, QuantizedRows x, int64_t m_count, float* out,
            int64_t out_stride);
void dot_f32(const float* w, int64_t w_stride, int64_t rows, const float* x, int64_t x_stride,
             int64_t m_count, int64_t n, float* out, int64_t out_stride);
void accumulate_f32(const float* p, int64_t p_stride, int64_t m_count, const float* v,
                    int64_t v_stride, int64_t rows, int64_t n, float* out, int64_t out_stride);

void round_bf16(const float* x, int64_t n, uint16_t* out);

void rms_norm(const float* x, const float* w, int64_t n, float eps, float* out);
void silu_mul(const float* gate, const float* up, int64_t n, float* out);
void rms_norm_backward(const float* x, const float* w, const float* out_grad, int64_t n, float eps,
                       float* x_grad, float* w_grad);
void silu_mul_backward(const float* gate, const float* up, const float* out_grad, int64_t n,
                       float* gate_grad, float* up_grad);
void add_scaled(const float* x, int64_t n, float factor, float* to);
float exp_sum(float* x, int64_t n, float max);
float max(const float* x, int64_t n);
void scale(float* x, int64_t n, float factor);

}  // namespace minke::scalar
