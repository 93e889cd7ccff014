#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/grammar/token_trie.h"

namespace minke {

// Follows the beginning of a JSON text, and keeps names from being used twice in an object. That a
// text is JSON, with one spelling for each string, is the grammar's part.
class NameGuard {
 public:
  // Goes over `text`.
  void add(std::string_view text);
  // Clears the bits of tokens that would end a name which its object has already, and of those with
  // more than one whole name, which can be drawn in parts.
  void forbid(const TokenTrie& trie, std::span<uint64_t> bits) const;

 private:
  struct Level {
    bool object = false;
    bool name_next = false;
    std::vector<std::string> names;  // as they are spelled, without quotes
  };
  // Where in a text a byte stands, beside the levels.
  struct Place {
    bool in_string = false, in_name = false, escaped = false;
  };

  bool repeats(std::string_view token) const;

  std::vector<Level> levels_;
  Place place_;
  std::string name_;  // what there is of a name
};

}  // namespace minke
