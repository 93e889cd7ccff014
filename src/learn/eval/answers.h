#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace minke {

// How replies to problems of published data sets are judged.

// What stands in the last \boxed{} of `reply`, without spaces around it; nothing without a closed
// box.
std::optional<std::string_view> last_boxed(std::string_view reply);

// `text` as an integer, for GSM8K and MGSM. First all of these are removed: spaces, commas, dollar
// signs and backslashes (so that "\$1,000" and "1{,}000" read as "1000"), percent signs, the signs
// of euro, pound, yen and rupee, braces, and one full stop at the end. What is left must be an
// optional sign (of minus also U+2212) and 1 to 15 digits that integer_of() of learn/tasks reads,
// then optionally a full stop and zeros: "42.00" is 42, "42.5" and "42 km" are nothing.
std::optional<int64_t> integer_answer(std::string_view text);

// `text` in the form in which answers of MATH-500 are compared. In this order:
//   1. \left and \right (not of longer commands), $, \$, %, \%, ^\circ, ^{\circ} and the commands
//      of space \! \, \; \: and backslash-space are removed; \dfrac and \tfrac become \frac;
//   2. \text{x}, \mbox{x}, \textbf{x} and \mathrm{x} become x;
//   3. all white space is removed, then one full stop at the end;
//   4. a variable in front, as in "x=5" (one letter), is removed;
//   5. \frac and \sqrt get braces around bare arguments of one character: \frac12, \sqrt3;
//   6. a/b of two integers becomes \frac{a}{b};
//   7. commas within a number whose groups all have three digits are removed: "1,234" (but "1,2" is
//      a pair), and a zero is put before a decimal point that begins the answer: ".5".
// Two expressions that differ after this are different answers, even if they are equal in value.
std::string normalised_expression(std::string_view text);

}  // namespace minke
