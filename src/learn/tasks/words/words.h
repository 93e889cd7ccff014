#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace minke {

enum class Script {
  kArabic,
  kDevanagari,
  kHan,
  kLatin,
  kSymbol,  // Greek and the letters of mathematics, which stand for quantities
  kOther,
};

// A run of letters (Unicode categories L*) of one script with the marks (M*) among and behind them;
// each letter of Han is a word of its own, for nothing separates its words.
struct Word {
  Script script = Script::kOther;
  int64_t letters = 0;
  bool command = false;   // right behind a backslash, as those of LaTeX are
  std::string_view text;  // as it is written
  std::string folded;     // in small letters
};

// Reads a text word by word, in time linear in its length. Bytes that are not UTF-8 are no letters.
class WordReader {
 public:
  // The text must outlive it and the words.
  explicit WordReader(std::string_view text) : text_(text) {}

  // Nothing at the end.
  std::optional<Word> next();

 private:
  std::string_view text_;
  size_t at_ = 0;
};

}  // namespace minke
