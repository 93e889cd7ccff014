#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "text/grammar/automaton.h"

namespace minke {

// A set of Unicode code points, surrogates never among them.
class CodePointSet {
 public:
  CodePointSet() = default;
  CodePointSet(char32_t lo, char32_t hi) { add(lo, hi); }
  static CodePointSet any();

  void add(char32_t lo, char32_t hi);  // inclusive
  void add(const CodePointSet& other);
  CodePointSet complement() const;

  bool empty() const { return ranges_.empty(); }
  // Disjoint, not adjacent, in order.
  const std::vector<std::pair<char32_t, char32_t>>& ranges() const { return ranges_; }

 private:
  std::vector<std::pair<char32_t, char32_t>> ranges_;
};

// How characters are written. kJson is the inside of a JSON string, in which each character has one
// spelling here: a short escape if there is one, \u00xx in lower case for the other characters
// below U+0020, and otherwise the character itself in UTF-8.
enum class Spelling { kPlain, kJson };

// `text`, which is UTF-8, in that spelling.
std::string spelled(std::string_view text, Spelling spelling);

// Adds edges for one character of `set`.
void add_characters(AutomatonBuilder& builder, int32_t from, int32_t to, const CodePointSet& set,
                    Spelling spelling);

}  // namespace minke
