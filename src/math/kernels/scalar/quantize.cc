#include <algorithm>
#include <bit>
#include <limits>

#include "math/kernels/scalar/scalar.h"
#include "math/kernels/scalar/unpack.h"

namespace minke::scalar {
namespace {

constexpr int kBlock = 32;
constexpr uint32_t kInfinityBits = 0x7f800000u;
// Below this a block counts as zeros; it keeps 127 / largest finite.
constexpr float kTiny = 0x1p-100f;

// Adding and subtracting 1.5 * 2^23 rounds |v| < 2^22 to the nearest integer, ties to even.
int8_t round_to_i8(float v) {
  constexpr float kMagic = 12582912.0f;
  return static_cast<int8_t>((v + kMagic) - kMagic);
}

// One block of `count` <= 32 values; q gets 32.
float quantize_block(const float* x, int64_t count, int8_t* q) {
  // Bits of absolute values order like the values, with infinity and NaN on top.
  uint32_t largest_bits = 0;
  for (int64_t i = 0; i < count; ++i) {
    largest_bits = std::max(largest_bits, std::bit_cast<uint32_t>(x[i]) & 0x7fffffffu);
  }
  std::fill_n(q, kBlock, int8_t{0});
  if (largest_bits >= kInfinityBits) return std::numeric_limits<float>::quiet_NaN();
  const float largest = std::bit_cast<float>(largest_bits);
  if (largest < kTiny) return 0.0f;
  const float inverse = 127.0f / largest;
  for (int64_t i = 0; i < count; ++i) q[i] = round_to_i8(x[i] * inverse);
  return largest / 127.0f;
}

}  // namespace

void quantize_i8(const float* x, int64_t n, int8_t* q, float* scale, float* sum, int32_t* bias) {
  const int64_t padded = padded_columns(n);
  int8_t block[kBlock];
  for (int64_t first = 0; first < padded; first += kBlock) {
    const float block_scale =
        quantize_block(x + std::min(first, n), std::clamp<int64_t>(n - first, 0, kBlock), block);
    for (int i = 0; i < kBlock; i += kGroup) {
      int32_t total = 0;
      for (int j = 0; j < kGroup; ++j) total += block[i + j];
      const int64_t g = (first + i) / kGroup;
      scale[g] = block_scale;
      sum[g] = block_scale * static_cast<float>(total);
      bias[g] = -128 * total;
    }
    for (int i = 0; i < kBlock; i += 4) {
      std::memcpy(q + interleaved_position(first + i, padded), block + i, 4);
    }
  }
}

void quantize_blocks(const float* x, int64_t n, ActivationBlock* out) {
  for (int64_t i = 0; i < n; i += kActivationBlock, ++out) {
    *out = {};
    out->scale = quantize_block(x + i, std::min<int64_t>(n - i, kActivationBlock), out->q);
    int32_t totals[3] = {};
    for (int j = 0; j < kActivationBlock; ++j) totals[1 + j / kGroup] += out->q[j];
    totals[0] = totals[1] + totals[2];
    for (int part = 0; part < 3; ++part) {
      out->sum[part] = out->scale * static_cast<float>(totals[part]);
      out->bias[part] = -128 * totals[part];
    }
  }
}

}  // namespace minke::scalar
