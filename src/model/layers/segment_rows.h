#pragma once

#include "math/ops/ops.h"
#include "model/kv/batch.h"

namespace minke {

// Cached tokens of a segment's sequence after the pass.
inline int64_t segment_end(const Segment& s) {
  return s.cache->length() + s.rows;
}

// Has `a` compute the rows of segment `s`: queries from `query`, results to `out`, both [rows of
// the batch from `first` on, any columns]. Keys and values are the caller's.
void set_rows(const Segment& s, const Tensor& query, const Tensor& out, AttentionSequence& a,
              int64_t first = 0);

// The rows of segment `s` over all tokens of its cache, those of the pass included: in each token's
// row of `layer`, keys begin `keys_at` bytes and values `values_at` bytes behind its beginning.
AttentionSequence cached_sequence(const Segment& s, int layer, int64_t keys_at, int64_t values_at,
                                  const Tensor& query, const Tensor& out, int64_t first = 0);

}  // namespace minke
