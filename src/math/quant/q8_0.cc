#include <cmath>

#include "math/quant/blocks.h"
#include "math/quant/codecs.h"
#include "math/quant/encode32.h"

namespace minke {
namespace {

// value = d * code
void decode(const BlockQ8_0& block, float* out) {
  const float d = block.d.value();
  for (int i = 0; i < 32; ++i) out[i] = d * static_cast<float>(block.qs[i]);
}

void encode_blocks(const float* x, int64_t n, BlockQ8_0* blocks) {
  float largest = 0.0f;
  for (int64_t i = 0; i < n; ++i) largest = std::fmax(largest, std::fabs(x[i]));
  const float d = largest / 127.0f;
  const float inverse = inverse_scale(d);
  for (int64_t b = 0; b < n / 32; ++b, x += 32) {
    blocks[b].d.set(d);
    for (int i = 0; i < 32; ++i) {
      blocks[b].qs[i] = static_cast<int8_t>(std::round(x[i] * inverse));
    }
  }
}

void encode(const float* x, BlockQ8_0& block) {
  encode_blocks(x, 32, &block);
}

}  // namespace

void encode_with_one_scale(const float* values, int64_t n, uint8_t* row) {
  encode_blocks(values, n, reinterpret_cast<BlockQ8_0*>(row));
}

const RowCodec kQ8_0Codec = block_codec<BlockQ8_0, 32, decode, encode>();

}  // namespace minke
