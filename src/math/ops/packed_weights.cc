#include "math/ops/packed_weights.h"

#include "base/core/check.h"

namespace minke {

PackedWeights::Entry& PackedWeights::entry(const HalfRows& matrix, int64_t rows, int64_t inner,
                                           int64_t size) {
  CHECK(!matrix.by_column);
  const Key key{matrix.values, matrix.stride, rows, inner};
  const auto found = entries_.find(key);
  if (found != entries_.end()) return found->second;
  return entries_.emplace(key, Entry{memory_.allocate<uint16_t>(size), false}).first->second;
}

void PackedWeights::clear() {
  entries_.clear();
  memory_.reset();
}

}  // namespace minke
