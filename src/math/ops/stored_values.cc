#include <cstring>

#include "base/core/check.h"
#include "math/ops/ops.h"
#include "math/quant/quant.h"

namespace minke {
namespace {

constexpr int64_t kBlock = 32;  // values of Q8_0 with a scale before them

bool all_finite(const float* x, int64_t n) {
  float sum = 0;
  for (int64_t i = 0; i < n; ++i) sum += x[i] * 0.0f;
  return sum == 0.0f;
}

// Blocks of Q8_0 with one scale. If they hold something else than finite numbers, all become NaN,
// so that it is noticed in the logits.
void store_blocks(const float* from, int64_t n, uint8_t* to) {
  if (all_finite(from, n)) return encode_with_one_scale(from, n, to);
  constexpr uint16_t kNan = 0x7e00;
  for (int64_t i = 0; i < n; i += kBlock, to += row_bytes(DType::kQ8_0, kBlock)) {
    std::memcpy(to, &kNan, sizeof kNan);
    std::memset(to + sizeof kNan, 1, kBlock);
  }
}

}  // namespace

void store_values(const Context& ctx, const float* from, int64_t n, DType type, uint8_t* to) {
  if (type == DType::kBF16) {
    ctx.kernels().round_bf16(from, n, reinterpret_cast<uint16_t*>(to));
  } else if (type == DType::kF32) {
    std::memcpy(to, from, static_cast<size_t>(n) * sizeof(float));
  } else {
    CHECK(type == DType::kQ8_0);
    for (int64_t i = 0; i < n; i += kBlock) store_blocks(from + i, kBlock, to + row_bytes(type, i));
  }
}

void store_with_one_scale(const Context& ctx, const float* from, int64_t n, DType type,
                          uint8_t* to) {
  if (type != DType::kQ8_0) return store_values(ctx, from, n, type, to);
  store_blocks(from, n, to);
}

void load_values(const Context& ctx, const uint8_t* from, int64_t n, DType type, float* to) {
  ctx.kernels().unpack_f32[static_cast<int>(type)](from, n, to);
}

}  // namespace minke
