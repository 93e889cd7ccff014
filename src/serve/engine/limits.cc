#include "serve/engine/limits.h"

#include <algorithm>

#include "base/core/error.h"

namespace minke {

int64_t chosen_context(const Model& model, int64_t wanted) {
  constexpr int64_t kUsual = 4096;
  const int64_t most = model.facts().context_length;
  if (wanted == 0) return std::min(most, kUsual);
  if (wanted < 1 || wanted > most) {
    fail("context", "expected 1 to {} tokens for this model, found {}", most, wanted);
  }
  return wanted;
}

void require_in_vocabulary(const Model& model, std::span<const int32_t> tokens,
                           std::string_view name) {
  const int64_t vocab = model.facts().vocab;
  for (const int32_t token : tokens) {
    if (token < 0 || token >= vocab) {
      fail(name, "expected an id from 0 to {}, found {}", vocab - 1, token);
    }
  }
}

}  // namespace minke
