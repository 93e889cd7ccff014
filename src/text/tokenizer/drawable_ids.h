#pragma once

#include <cstdint>
#include <vector>

#include "text/tokenizer/tokenizer.h"

namespace minke {

// For each of the `vocab` ids of a model, at least as many as the tokenizer's, whether it is a
// token: the others are padding, and none may be drawn.
std::vector<bool> drawable_ids(const Tokenizer& tokenizer, int64_t vocab);

}  // namespace minke
