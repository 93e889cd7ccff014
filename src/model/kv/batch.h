#pragma once

#include <cstdint>
#include <span>

#include "model/kv/kv_cache.h"

namespace minke {

// Consecutive tokens of one sequence: rows [first_row, first_row + rows) of the batch, at positions
// cache->length() and on.
struct Segment {
  KvCache* cache = nullptr;
  int64_t first_row = 0;
  int64_t rows = 0;
};

// The tokens of one forward pass.
struct Batch {
  std::span<const int32_t> tokens;      // [M]
  std::span<const int32_t> positions;   // [M] within each token's sequence
  std::span<const Segment> segments;    // cover all rows, in order
  std::span<const int32_t> logit_rows;  // rows whose logits are wanted
};

}  // namespace minke
