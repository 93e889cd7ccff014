#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "model/families/model.h"

namespace minke {

// The tokens that a sequence may have: `wanted`, or for 0 the smaller of the model's own context
// and 4096. Throws Error if `wanted` is longer than the model's.
int64_t chosen_context(const Model& model, int64_t wanted);

// Throws Error, which begins with `name`, if a token is not in the vocabulary.
void require_in_vocabulary(const Model& model, std::span<const int32_t> tokens,
                           std::string_view name = "token");

}  // namespace minke
