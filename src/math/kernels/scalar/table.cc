#include "math/kernels/levels.h"
#include "math/kernels/scalar/scalar.h"

namespace minke {

void set_scalar_kernels(Kernels& k) {
  scalar::set_blocks32(k);
  scalar::set_k_quants(k);
  scalar::set_floats(k);
  k.quantize_i8 = scalar::quantize_i8;
  k.quantize_blocks = scalar::quantize_blocks;
  k.dot_i8 = scalar::dot_i8;
  k.dot_f32 = scalar::dot_f32;
  k.accumulate_f32 = scalar::accumulate_f32;
  k.round_bf16 = scalar::round_bf16;
  k.rms_norm = scalar::rms_norm;
  k.silu_mul = scalar::silu_mul;
  k.rms_norm_backward = scalar::rms_norm_backward;
  k.silu_mul_backward = scalar::silu_mul_backward;
  k.add_scaled = scalar::add_scaled;
  k.exp_sum = scalar::exp_sum;
  k.max = scalar::max;
  k.scale = scalar::scale;
}

}  // namespace minke
