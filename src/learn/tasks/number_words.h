#pragma once

#include <string>

#include "learn/tasks/task.h"

namespace minke {

inline constexpr int kMostInWords = 9999;

// The cardinal number `n`, 0 to kMostInWords, in words, as it is counted or stands alone: "eins",
// "二". Arabic is the masculine nominative, as after "their number is". English has no "and".
std::string number_words(Language language, int n);

// As number_words, for n >= 2 before what is counted; Chinese then says two in another way. Not for
// Arabic, where the form depends on the noun.
std::string number_words_before_noun(Language language, int n);

// Whether the language has digits of its own besides the ASCII ones.
bool has_native_digits(Language language);

// `n` >= 0 in Arabic-Indic digits for Arabic, Devanagari ones for Hindi, ASCII ones for the others.
std::string native_digits(Language language, int n);

}  // namespace minke
