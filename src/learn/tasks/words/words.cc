#include "learn/tasks/words/words.h"

#include <algorithm>
#include <utility>

#include <utf8proc.h>

#include "base/core/utf8.h"

namespace minke {
namespace {

struct Block {
  char32_t first, last;
  Script script;
};

// Blocks of Unicode 15 that hold the letters of each script, in order; what else they hold is no
// letter by its category.
constexpr Block kBlocks[] = {
    {0x41, 0x5a, Script::kLatin},
    {0x61, 0x7a, Script::kLatin},
    {0xaa, 0xaa, Script::kLatin},
    {0xb5, 0xb5, Script::kSymbol},
    {0xba, 0xba, Script::kLatin},
    {0xc0, 0x24f, Script::kLatin},
    {0x370, 0x3ff, Script::kSymbol},
    {0x600, 0x6ff, Script::kArabic},
    {0x750, 0x77f, Script::kArabic},
    {0x870, 0x8ff, Script::kArabic},
    {0x900, 0x97f, Script::kDevanagari},
    {0x1e00, 0x1eff, Script::kLatin},
    {0x1f00, 0x1fff, Script::kSymbol},
    {0x2100, 0x214f, Script::kSymbol},
    {0x2c60, 0x2c7f, Script::kLatin},
    {0x3005, 0x3007, Script::kHan},
    {0x3400, 0x4dbf, Script::kHan},
    {0x4e00, 0x9fff, Script::kHan},
    {0xa720, 0xa7ff, Script::kLatin},
    {0xa8e0, 0xa8ff, Script::kDevanagari},
    {0xab30, 0xab6f, Script::kLatin},
    {0xf900, 0xfaff, Script::kHan},
    {0xfb00, 0xfb06, Script::kLatin},
    {0xfb50, 0xfdff, Script::kArabic},
    {0xfe70, 0xfeff, Script::kArabic},
    {0x10ec0, 0x10eff, Script::kArabic},
    {0x11b00, 0x11b5f, Script::kDevanagari},
    {0x1d400, 0x1d7ff, Script::kSymbol},
    {0x1ee00, 0x1eeff, Script::kSymbol},
    {0x20000, 0x2ebef, Script::kHan},
    {0x2f800, 0x2fa1f, Script::kHan},
    {0x30000, 0x323af, Script::kHan},
};
static_assert(std::ranges::is_sorted(kBlocks, {}, &Block::last));

Script script_of(char32_t c) {
  const auto* block = std::ranges::lower_bound(kBlocks, c, {}, &Block::last);
  return block != std::end(kBlocks) && block->first <= c ? block->script : Script::kOther;
}

enum class Role { kLetter, kMark, kNeither };

struct Character {
  char32_t code = 0;
  size_t bytes = 1;
  Role role = Role::kNeither;
};

// That `text`, which is not empty, begins with.
Character first_of(std::string_view text) {
  const size_t bytes = utf8_sequence_length(text);
  if (bytes == 0) return {};
  const char32_t code = utf8_decode(text);
  const auto category = utf8proc_category(static_cast<utf8proc_int32_t>(code));
  const bool letter = category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO;
  const bool mark = category >= UTF8PROC_CATEGORY_MN && category <= UTF8PROC_CATEGORY_ME;
  return {code, bytes, letter ? Role::kLetter : mark ? Role::kMark : Role::kNeither};
}

void append_folded(std::string& out, char32_t code) {
  const auto folded = utf8proc_tolower(static_cast<utf8proc_int32_t>(code));
  utf8_append(out, static_cast<char32_t>(folded));
}

}  // namespace

std::optional<Word> WordReader::next() {
  Word word;
  size_t start = 0;
  while (at_ < text_.size()) {
    const Character c = first_of(text_.substr(at_));
    const bool begun = word.letters > 0;
    if (begun && c.role == Role::kNeither) break;
    if (c.role == Role::kLetter) {
      const Script script = script_of(c.code);
      if (begun && (script != word.script || script == Script::kHan)) break;
      if (!begun) start = at_;
      word.script = script;
      ++word.letters;
    }
    if (word.letters > 0) append_folded(word.folded, c.code);
    at_ += c.bytes;
  }
  if (word.letters == 0) return std::nullopt;
  word.text = text_.substr(start, at_ - start);
  word.command = start > 0 && text_[start - 1] == '\\';
  return word;
}

}  // namespace minke
