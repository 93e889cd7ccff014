#include "math/kernels/avx512/avx512.h"
#include "math/kernels/levels.h"
#include "math/tensor/dtype.h"

// Compiled without instruction-set flags: it only takes addresses.

namespace minke {
void set_avx512_kernels(Kernels& k) {
  set_format(k, DType::kQ4_0, avx512::kQ4_0);
  set_format(k, DType::kQ4_1, avx512::kQ4_1);
  set_format(k, DType::kQ5_0, avx512::kQ5_0);
  set_format(k, DType::kQ5_1, avx512::kQ5_1);
  set_format(k, DType::kQ8_0, avx512::kQ8_0);
  set_format(k, DType::kQ2_K, avx512::kQ2_K);
  set_format(k, DType::kQ3_K, avx512::kQ3_K);
  set_format(k, DType::kQ4_K, avx512::kQ4_K);
  set_format(k, DType::kQ5_K, avx512::kQ5_K);
  set_format(k, DType::kQ6_K, avx512::kQ6_K);
  set_format(k, DType::kIQ4_NL, avx512::kIQ4_NL);
  set_format(k, DType::kIQ4_XS, avx512::kIQ4_XS);
  set_format(k, DType::kMXFP4, avx512::kMXFP4);
  k.unpack_f32[static_cast<int>(DType::kF16)] = avx512::unpack_f16;
  k.unpack_f32[static_cast<int>(DType::kBF16)] = avx512::unpack_bf16;
  k.unpack_f32[static_cast<int>(DType::kF8E4M3)] = avx512::unpack_f8e4m3;
  k.quantize_i8 = avx512::quantize_i8;
  k.quantize_blocks = avx512::quantize_blocks;
  k.dot_i8 = avx512::dot_i8;
  k.dot_f32 = avx512::dot_f32;
  k.accumulate_f32 = avx512::accumulate_f32;
  k.quantize_queries = avx512::quantize_queries;
  k.dot_latents = avx512::dot_latents;
  k.quantize_weights = avx512::quantize_weights;
  k.accumulate_latents = avx512::accumulate_latents;
  k.rms_norm = avx512::rms_norm;
  k.silu_mul = avx512::silu_mul;
  k.rms_norm_backward = avx512::rms_norm_backward;
  k.silu_mul_backward = avx512::silu_mul_backward;
  k.add_scaled = avx512::add_scaled;
  k.exp_sum = avx512::exp_sum;
  k.max = avx512::max;
  k.scale = avx512::scale;
}

}  // namespace minke
