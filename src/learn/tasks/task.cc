#include "learn/tasks/task.h"

#include <fmt/core.h>

#include "base/core/error.h"

namespace minke {

std::string_view language_code(Language language) {
  constexpr std::string_view kCodes[] = {"ar", "zh", "en", "de", "hi", "id"};
  static_assert(std::size(kCodes) == kLanguages.size());
  return kCodes[static_cast<size_t>(language)];
}

Language language_from_code(std::string_view code) {
  std::string codes;
  for (const Language language : kLanguages) {
    if (language_code(language) == code) return language;
    codes += fmt::format(" {}", language_code(language));
  }
  fail("language", "expected one of{}, found '{}'", codes, printable(code));
}

}  // namespace minke
