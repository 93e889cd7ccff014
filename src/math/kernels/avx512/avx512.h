#pragma once

#include "math/kernels/kernels.h"

// The entries of kernels/avx512/, as described in kernels.h. math/kernels/table_avx512.cc puts them
// into the function table.

namespace minke::avx512 {

extern const QuantizedFormat kQ4_0, kQ4_1, kQ5_0, kQ5_1, kQ8_0, kIQ4_NL, kMXFP4;
extern const QuantizedFormat kQ2_K, kQ3_K, kQ4_K, kQ5_K, kQ6_K, kIQ4_XS;

void unpack_f16(const uint8_t* row, int64_t n, float* out);
void unpack_bf16(const uint8_t* row, int64_t n, float* out);
void unpack_f8e4m3(const uint8_t* row, int64_t n, float* out);

void quantize_i8(const float* x, int64_t n, int8_t* q, float* scale, float* sum, int32_t* bias);
void quantize_blocks(const float* x, int64_t n, ActivationBlock* out);
void dot_i8(UnpackedRow w, int rows, QuantizedRows x, int64_t m_count, float* out,
            int64_t out_stride);
void dot_f32(const float* w, int64_t w_stride, int64_t rows, const float* x, int64_t x_stride,
             int64_t m_count, int64_t n, float* out, int64_t out_stride);
void accumulate_f32(const float* p, int64_t p_stride, int64_t m_count, const float* v,
                    int64_t v_stride, int64_t rows, int64_t n, float* out, int64_t out_stride);

void quantize_queries(const float* x, int64_t x_stride, int64_t m_count, int64_t n,
                      int64_t latent_values, QuantizedQueries out);
void dot_latents(LatentRows w, QuantizedQueries x, int64_t m_count, float* out, int64_t out_stride);
void quantize_weights(const float* p, int64_t p_stride, int64_t m_count, LatentRows v,
                      QuantizedWeights out);
void accumulate_latents(QuantizedWeights p, int64_t m_count, LatentRows v, float* out,
                        int64_t out_stride);

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

}  // namespace minke::avx512
