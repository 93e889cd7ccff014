#include "learn/tasks/language_consistency.h"

#include <string>
#include <vector>

#include <fmt/core.h>
#include <gtest/gtest.h>

namespace minke {
namespace {

constexpr Language kLatin[] = {Language::kEnglish, Language::kGerman, Language::kIndonesian};
constexpr uint64_t kProblems = 20;

Problem problem_of(const Task& task, Language language, int level, uint64_t index) {
  // Other seeds than those the known words come from; every second problem is a held-out one.
  Rng rng(1'000'000 + index);
  return task.make(language, level, index % 2 == 0 ? Split::kTrain : Split::kHeldOut, rng);
}

// Calls `look` with problems of every task and level in `language`, and those that the same draws
// give in `other`.
template <typename Look>
void each_pair(Language language, Language other, const Look& look) {
  for (const Task* task : all_tasks()) {
    for (int level = 1; level <= task->levels(); ++level) {
      for (uint64_t index = 0; index < kProblems; ++index) {
        look(problem_of(*task, language, level, index), problem_of(*task, other, level, index));
      }
    }
  }
}

TEST(LanguageShare, WorkedReasoningIsInItsLanguage) {
  for (const Language language : kLanguages) {
    int all = 0, whole = 0;
    double sum = 0;
    each_pair(language, language, [&](const Problem& problem, const Problem&) {
      const double share = language_share(problem.reasoning, problem.question, language).share();
      ++all;
      sum += share;
      whole += share == 1;
      if (share < 1) {
        fmt::print("{} {}, share {}: {}\n", problem.task, language_code(language), share,
                   problem.reasoning);
      }
    });
    EXPECT_GE(sum / all, 0.98) << language_code(language);
    EXPECT_GE(whole, 0.98 * all) << language_code(language);
  }
}

TEST(LanguageShare, ReasoningInAnotherLanguageIsForeign) {
  for (const Language language : kLanguages) {
    for (const Language other : kLanguages) {
      if (other == language) continue;
      LanguageShare total;
      int replies = 0, low = 0;
      each_pair(language, other, [&](const Problem& problem, const Problem& foreign) {
        const LanguageShare share = language_share(foreign.reasoning, problem.question, language);
        if (share.judged < 3) return;
        ++replies;
        low += share.share() <= 0.2;
        total.judged += share.judged;
        total.expected += share.expected;
      });
      const std::string pair =
          fmt::format("{} for {}: share {:.3f}, {} of {} replies at most 0.2", language_code(other),
                      language_code(language), total.share(), low, replies);
      EXPECT_GT(replies, 100) << pair;
      EXPECT_LE(total.share(), 0.1) << pair;
      // The others are lists of months, most of which have one name in the three languages.
      EXPECT_GE(low, 0.85 * replies) << pair;
    }
  }
}

struct Case {
  const char* thinking;
  const char* question;
  Language language;
  int64_t judged, expected;
};

TEST(LanguageShare, JudgesWordByWord) {
  constexpr auto kAr = Language::kArabic, kZh = Language::kChinese, kEn = Language::kEnglish,
                 kDe = Language::kGerman, kHi = Language::kHindi, kId = Language::kIndonesian;
  const Case cases[] = {
      {"", "", kEn, 0, 0},
      {"12 + 3 = 15, 2 * x < 7", "?", kZh, 0, 0},
      {"we need the result", "?", kEn, 4, 4},
      {"we need the result", "?", kDe, 4, 0},
      {"We need THE result", "?", kId, 4, 0},
      {"wir brauchen das", "?", kDe, 2, 2},
      {"maka jumlah ini", "Berapa?", kId, 3, 3},
      // Names that no task knows, and those of the question.
      {"Xaviera Quorlim: 7", "?", kDe, 0, 0},
      {"Xaviera: 7", "?", kHi, 1, 0},
      {"XAVIERA: 7 km", "xaviera läuft 7 Km", kHi, 0, 0},
      // Each letter of Han, but those of the question.
      {"首先 x = 3，然后", "?", kZh, 4, 4},
      {"小明有苹果", "小明", kZh, 3, 3},
      {"then 然后", "?", kZh, 3, 2},
      {"然后 12", "?", kDe, 2, 0},
      {"कुमारी के पास", "?", kHi, 3, 3},
      {"अब we नहीं", "?", kHi, 3, 2},
      {"ثُمَّ نجمع", "?", kAr, 2, 2},
      {"نجمع the الكل", "?", kAr, 3, 2},
      {"сумма の 합계", "?", kEn, 3, 0},
      // Programs and formulas.
      {"for i in range(3): print(sum, None)", "?", kAr, 0, 0},
      {"f(n) calls total", "def f(n): total += n", kZh, 1, 0},
      {"\\frac{1}{2} \\boxed{boxed}", "?", kZh, 0, 0},
      {"\\the \\total \\is 12，得", "?", kZh, 3, 1},
      {"π r^2, 5 µm, ℕ, 𝑥", "?", kHi, 0, 0},
      {"αβγ", "?", kDe, 1, 0},
      // Bytes that are no text.
      {"\xff\xfe\x80 das \xe4", "?", kDe, 1, 1},
      {"da\xffs", "das", kDe, 1, 1},
      {"\xcc\x81\xcc\x81 12 \xcc\x81", "?", kZh, 0, 0},
      {"\xed\xa0\x80\xf4\x90\x80\x80\xc0\xaf", "\xff", kEn, 0, 0},
  };
  for (const Case& c : cases) {
    const LanguageShare share = language_share(c.thinking, c.question, c.language);
    EXPECT_EQ(share.judged, c.judged) << c.thinking;
    EXPECT_EQ(share.expected, c.expected) << c.thinking;
  }
  EXPECT_DOUBLE_EQ(LanguageShare{}.share(), 1);
  EXPECT_DOUBLE_EQ((LanguageShare{4, 1}.share()), 0.25);
}

TEST(LanguageShare, TakesLongAndHostileText) {
  std::string bytes;
  Rng rng(5);
  for (int i = 0; i < 200'000; ++i) bytes += static_cast<char>(rng.next());
  const std::string word(2'000'000, 'a');
  std::string marks = "ا";
  for (int i = 0; i < 500'000; ++i) marks += "\u064b";
  for (const Language language : kLanguages) {
    const LanguageShare share = language_share(bytes, bytes.substr(0, 1000), language);
    EXPECT_LE(share.expected, share.judged);
    EXPECT_LE(language_share(word, "?", language).judged, 1);
    EXPECT_EQ(language_share(marks, "?", language).judged, 1);
  }
}

}  // namespace
}  // namespace minke
