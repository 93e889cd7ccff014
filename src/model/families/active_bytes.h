#pragma once

#include <cstdint>

#include "model/families/model.h"

namespace minke {

// Bytes of weights that one decoded token reads from where they are held: all matrices and vectors,
// of the routed experts only those that a token chooses, and of the embedding one row, unless it is
// the head too. What decoding is bound by on a machine whose caches are much smaller than the
// model.
int64_t active_weight_bytes(Model& model);

// What people call active parameters: all but those of the routed experts that a token does not
// choose.
int64_t active_parameters(Model& model);

// Weights that one token is multiplied with: the values of all matrices, of the routed experts only
// those that a token chooses. Of a prompt, the head sees the last token only.
struct ActiveWeightCount {
  int64_t layers = 0;  // without embedding and head
  int64_t head = 0;
};
ActiveWeightCount active_weight_count(Model& model);

}  // namespace minke
