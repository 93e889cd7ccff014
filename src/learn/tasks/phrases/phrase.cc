#include "learn/tasks/phrases/phrase.h"

#include <algorithm>

#include "base/core/check.h"

namespace minke {

std::string_view Wordings::pick(Language language, Split split, Rng& rng) const {
  const bool kept = split == Split::kHeldOut && rng.below(2) == 0;
  const size_t way = kept ? kTrained + rng.below(kCount - kTrained) : rng.below(kTrained);
  return in_language(ways[way], language);
}

std::string filled(std::string_view pattern, Fields fields) {
  std::string out;
  while (true) {
    const size_t open = pattern.find('{');
    out += pattern.substr(0, open);
    if (open == std::string_view::npos) return out;
    const size_t close = pattern.find('}', open);
    CHECK(close != std::string_view::npos);
    const std::string_view name = pattern.substr(open + 1, close - open - 1);
    const auto* const field =
        std::ranges::find(fields, name, [](const auto& f) { return f.first; });
    CHECK(field != fields.end());
    out += field->second;
    pattern.remove_prefix(close + 1);
  }
}

}  // namespace minke
