#pragma once

#include <cstdint>
#include <vector>

#include "model/families/tensor_rows.h"
#include "model/layers/weights.h"

namespace minke {

// How the two kinds of files lay out the same weights.

// Heads of `size` rows that are rotated. Llama's GGUF files have row 2i+j of a head where Hugging
// Face's have row j*size/2+i, j in {0, 1}: the latter of the former, and the other way round.
inline int64_t interleaved_row(int64_t row, int64_t size) {
  const int64_t in_head = row % size;
  return row - in_head + in_head % 2 * (size / 2) + in_head / 2;
}
inline int64_t half_split_row(int64_t row, int64_t size) {
  const int64_t in_head = row % size, half = size / 2;
  return row - in_head + in_head % half * 2 + in_head / half;
}

// The rows of kv_b that make the keys of a head, [nope, rank], from either form of the weight, with
// the change to kv_b.
std::vector<float> head_keys(const LatentHeads& w, const LatentHeadsShape& shape, int64_t head,
                             const WeightChanges::AddRow& change);

}  // namespace minke
