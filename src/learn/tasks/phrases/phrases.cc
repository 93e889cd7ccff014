#include "learn/tasks/phrases/phrases.h"

#include "base/core/check.h"

namespace minke {

const Phrases& phrases_of(Language language) {
  switch (language) {
    case Language::kArabic:
      return arabic_phrases();
    case Language::kChinese:
      return chinese_phrases();
    case Language::kEnglish:
      return english_phrases();
    case Language::kGerman:
      return german_phrases();
    case Language::kHindi:
      return hindi_phrases();
    case Language::kIndonesian:
      return indonesian_phrases();
  }
  CHECK(false);
}

}  // namespace minke
