#include "model/families/weight_layout.h"

namespace minke {

std::vector<float> head_keys(const LatentHeads& w, const LatentHeadsShape& s, int64_t head,
                             const WeightChanges::AddRow& change) {
  const int64_t first = head * (s.nope + s.value);  // of the head's rows in kv_b
  std::vector<float> keys(static_cast<size_t>(s.nope * s.rank));
  if (w.kv_b) {
    for (int64_t d = 0; d < s.nope; ++d) {
      decode_stored_row(w.kv_b, first + d, keys.data() + d * s.rank);
    }
  } else {
    std::vector<float> row(static_cast<size_t>(s.nope));
    for (int64_t c = 0; c < s.rank; ++c) {
      decode_stored_row(w.k_b, head * s.rank + c, row.data());
      for (int64_t d = 0; d < s.nope; ++d) keys[d * s.rank + c] = row[d];
    }
  }
  for (int64_t d = 0; change && d < s.nope; ++d) change(first + d, keys.data() + d * s.rank);
  return keys;
}

}  // namespace minke
