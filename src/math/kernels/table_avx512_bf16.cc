#include "math/kernels/avx512_bf16/avx512_bf16.h"
#include "math/kernels/levels.h"

// Compiled without instruction-set flags: it only takes addresses.

namespace minke {

void set_avx512_bf16_kernels(Kernels& k) {
  k.round_bf16 = avx512_bf16::round_bf16;
  k.round_q8_0 = avx512_bf16::round_q8_0;
  k.dot_bf16 = avx512_bf16::dot_bf16;
  k.accumulate_bf16 = avx512_bf16::accumulate_bf16;
  k.pack_rows_bf16 = avx512_bf16::pack_rows_bf16;
  k.pack_columns_bf16 = avx512_bf16::pack_columns_bf16;
  k.left_rows = avx512_bf16::kMostRows;
  k.step_pairs = 1;
  k.multiply_bf16 = avx512_bf16::multiply_bf16;
}

}  // namespace minke
