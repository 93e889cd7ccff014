#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "learn/tasks/task.h"

namespace minke {

// "Answer: \boxed{12}" in the language.
std::string boxed_answer(Language language, std::string_view solution);

// `text` without the spaces, tabs and ends of lines around it, as a box is read.
std::string_view trimmed(std::string_view text);

// What stands in the one \boxed{} of `reply`, without spaces around it; nothing if there is no box,
// more than one, or one that is not closed. Braces inside a box must balance.
std::optional<std::string_view> boxed_content(std::string_view reply);

// `text` as an integer in ASCII, Arabic-Indic or Devanagari digits, of one script, with an optional
// minus sign and no other character; nothing else counts, nor does a number beyond 15 digits.
std::optional<int64_t> integer_of(std::string_view text);

}  // namespace minke
