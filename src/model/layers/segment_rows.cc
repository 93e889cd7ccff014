#include "model/layers/segment_rows.h"

namespace minke {

// A page of the cache is a chunk of attention.
static_assert(kPageTokens == kAttentionChunk);

void set_rows(const Segment& s, const Tensor& query, const Tensor& out, AttentionSequence& a,
              int64_t first) {
  a.queries = query.f32() + (s.first_row - first) * query.columns();
  a.rows = s.rows;
  a.first_position = s.cache->length();
  a.out = out.f32() + (s.first_row - first) * out.columns();
}

AttentionSequence cached_sequence(const Segment& s, int layer, int64_t keys_at, int64_t values_at,
                                  const Tensor& query, const Tensor& out, int64_t first) {
  AttentionSequence a;
  a.keys = a.values = s.cache->chunks(layer, segment_end(s));
  for (const uint8_t*& chunk : a.keys) chunk += keys_at;
  for (const uint8_t*& chunk : a.values) chunk += values_at;
  set_rows(s, query, out, a, first);
  return a;
}

}  // namespace minke
