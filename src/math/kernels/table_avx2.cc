#include "math/kernels/avx2/avx2.h"
#include "math/kernels/levels.h"
#include "math/tensor/dtype.h"

// Compiled without instruction-set flags: it only takes addresses.

namespace minke {
void set_avx2_kernels(Kernels& k) {
  set_format(k, DType::kQ4_0, avx2::kQ4_0);
  set_format(k, DType::kQ4_1, avx2::kQ4_1);
  set_format(k, DType::kQ5_0, avx2::kQ5_0);
  set_format(k, DType::kQ5_1, avx2::kQ5_1);
  set_format(k, DType::kQ8_0, avx2::kQ8_0);
  set_format(k, DType::kQ2_K, avx2::kQ2_K);
  set_format(k, DType::kQ3_K, avx2::kQ3_K);
  set_format(k, DType::kQ4_K, avx2::kQ4_K);
  set_format(k, DType::kQ5_K, avx2::kQ5_K);
  set_format(k, DType::kQ6_K, avx2::kQ6_K);
  set_format(k, DType::kIQ4_NL, avx2::kIQ4_NL);
  set_format(k, DType::kIQ4_XS, avx2::kIQ4_XS);
  set_format(k, DType::kMXFP4, avx2::kMXFP4);
  k.unpack_f32[static_cast<int>(DType::kF16)] = avx2::unpack_f16;
  k.unpack_f32[static_cast<int>(DType::kBF16)] = avx2::unpack_bf16;
  k.unpack_f32[static_cast<int>(DType::kF8E4M3)] = avx2::unpack_f8e4m3;
  k.quantize_i8 = avx2::quantize_i8;
  k.quantize_blocks = avx2::quantize_blocks;
  k.dot_i8 = avx2::dot_i8;
  k.dot_f32 = avx2::dot_f32;
  k.accumulate_f32 = avx2::accumulate_f32;
  k.rms_norm = avx2::rms_norm;
  k.silu_mul = avx2::silu_mul;
  k.rms_norm_backward = avx2::rms_norm_backward;
  k.silu_mul_backward = avx2::silu_mul_backward;
  k.add_scaled = avx2::add_scaled;
  k.exp_sum = avx2::exp_sum;
  k.max = avx2::max;
  k.scale = avx2::scale;
}

}  // namespace minke
