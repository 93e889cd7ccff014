#pragma once

#include <string_view>

#include "learn/tasks/task.h"

namespace minke {

// In which of English, German and Indonesian, the languages here that share a script, a word is
// known: from what the tasks say and from the most frequent words of each.
class KnownIn {
 public:
  void add(Language language) { languages_ |= bit(language); }
  bool in(Language language) const { return (languages_ & bit(language)) != 0; }
  bool anywhere() const { return languages_ != 0; }

 private:
  static unsigned bit(Language language) { return 1u << static_cast<unsigned>(language); }

  unsigned languages_ = 0;
};

// Of a word in small letters. The first call reads problems of every task; any threads may call.
KnownIn known_in(std::string_view folded_word);

}  // namespace minke
