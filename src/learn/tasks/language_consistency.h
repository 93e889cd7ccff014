#pragma once

#include <cstdint>
#include <string_view>

#include "learn/tasks/task.h"

namespace minke {

// Whether a model thinks in the language it was asked in.

struct LanguageShare {
  int64_t judged = 0;    // words that tell a language
  int64_t expected = 0;  // of them, those of the wanted language

  // Of the judged words; 1 if none is.
  double share() const;
};

// How much of `thinking` is in `language`, that of `question`. Words are as words/words.h reads
// them: runs of letters, of Han each letter. Not judged are
//   - words that stand in the question, in large or small letters: names, units, code;
//   - single letters of Latin, of Greek and of mathematics;
//   - keywords of Python and the functions of its subset (python/python.h), as Python writes them;
//   - commands of LaTeX, behind a backslash, and the word "boxed".
// Any other word is judged by its script; where Latin script is wanted and found, as
// words/known_words.h knows it: expected if known in `language`, foreign if known in another, else
// a name and not judged. Takes time linear in the texts; never throws, whatever the bytes.
LanguageShare language_share(std::string_view thinking, std::string_view question,
                             Language language);

}  // namespace minke
