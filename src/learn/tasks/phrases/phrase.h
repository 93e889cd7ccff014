#pragma once

#include <array>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "learn/tasks/task.h"

namespace minke {

// One text a language, in the order of kLanguages: Arabic, Chinese, English, German, Hindi,
// Indonesian.
using Phrase = std::array<std::string_view, kLanguages.size()>;

inline std::string_view in_language(const Phrase& phrase, Language language) {
  return phrase[static_cast<size_t>(language)];
}

// Ways to ask one question. The last fifth of them is kept for measuring.
struct Wordings {
  static constexpr size_t kCount = 15;
  static constexpr size_t kTrained = kCount - kCount / 5;
  std::array<Phrase, kCount> ways;

  // A way to ask that `split` allows; held-out problems take one that is kept half of the time.
  std::string_view pick(Language language, Split split, Rng& rng) const;
};

using Fields = std::initializer_list<std::pair<std::string_view, std::string_view>>;

// `pattern` with each {name} replaced by the field of that name, which must be there. What is
// filled in is not read again.
std::string filled(std::string_view pattern, Fields fields);

}  // namespace minke
