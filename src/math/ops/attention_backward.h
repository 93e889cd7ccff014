#pragma once

#include "math/ops/ops.h"

namespace minke {

// Records the backward pass of attention(ctx, heads, sequences) on the context's tape. Softmax
// weights are computed again from queries and keys, rounded as the forward pass had them, tile by
// tile (Dao et al. 2022, algorithm 4), so that nothing of the size of all scores is held; products
// are float32.
void record_attention(Context& ctx, const AttentionHeads& heads,
                      std::span<const AttentionSequence> sequences);

}  // namespace minke
