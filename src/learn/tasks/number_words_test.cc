#include "learn/tasks/number_words.h"

#include <set>

#include <gtest/gtest.h>

#include "base/core/utf8.h"
#include "learn/tasks/boxed.h"

namespace minke {
namespace {

struct Golden {
  Language language;
  int n;
  const char* words;
};

constexpr Golden kGolden[] = {
    {Language::kEnglish, 0, "zero"},
    {Language::kEnglish, 40, "forty"},
    {Language::kEnglish, 99, "ninety-nine"},
    {Language::kEnglish, 312, "three hundred twelve"},
    {Language::kEnglish, 9001, "nine thousand one"},
    {Language::kGerman, 1, "eins"},
    {Language::kGerman, 16, "sechzehn"},
    {Language::kGerman, 17, "siebzehn"},
    {Language::kGerman, 21, "einundzwanzig"},
    {Language::kGerman, 30, "dreißig"},
    {Language::kGerman, 101, "einhunderteins"},
    {Language::kGerman, 1000, "eintausend"},
    {Language::kGerman, 9876, "neuntausendachthundertsechsundsiebzig"},
    {Language::kIndonesian, 0, "nol"},
    {Language::kIndonesian, 10, "sepuluh"},
    {Language::kIndonesian, 11, "sebelas"},
    {Language::kIndonesian, 19, "sembilan belas"},
    {Language::kIndonesian, 21, "dua puluh satu"},
    {Language::kIndonesian, 100, "seratus"},
    {Language::kIndonesian, 1115, "seribu seratus lima belas"},
    {Language::kIndonesian, 2018, "dua ribu delapan belas"},
    {Language::kChinese, 0, "零"},
    {Language::kChinese, 2, "二"},
    {Language::kChinese, 10, "十"},
    {Language::kChinese, 15, "十五"},
    {Language::kChinese, 20, "二十"},
    {Language::kChinese, 105, "一百零五"},
    {Language::kChinese, 110, "一百一十"},
    {Language::kChinese, 1005, "一千零五"},
    {Language::kChinese, 1050, "一千零五十"},
    {Language::kChinese, 3014, "三千零一十四"},
    {Language::kChinese, 9900, "九千九百"},
    {Language::kArabic, 0, "صفر"},
    {Language::kArabic, 8, "ثمانية"},
    {Language::kArabic, 11, "أحد عشر"},
    {Language::kArabic, 12, "اثنا عشر"},
    {Language::kArabic, 13, "ثلاثة عشر"},
    {Language::kArabic, 25, "خمسة وعشرون"},
    {Language::kArabic, 200, "مئتان"},
    {Language::kArabic, 351, "ثلاثمئة وواحد وخمسون"},
    {Language::kArabic, 2003, "ألفان وثلاثة"},
    {Language::kArabic, 7000, "سبعة آلاف"},
    {Language::kHindi, 0, "शून्य"},
    {Language::kHindi, 19, "उन्नीस"},
    {Language::kHindi, 29, "उनतीस"},
    {Language::kHindi, 35, "पैंतीस"},
    {Language::kHindi, 49, "उनचास"},
    {Language::kHindi, 50, "पचास"},
    {Language::kHindi, 89, "नवासी"},
    {Language::kHindi, 99, "निन्यानवे"},
    {Language::kHindi, 100, "एक सौ"},
    {Language::kHindi, 2525, "दो हज़ार पाँच सौ पच्चीस"},
};

TEST(NumberWords, AreThoseOfTheLanguage) {
  for (const Golden& golden : kGolden) {
    EXPECT_EQ(number_words(golden.language, golden.n), golden.words) << golden.n;
  }
}

TEST(NumberWords, NameEveryNumberOnce) {
  for (const Language language : kLanguages) {
    std::set<std::string> seen;
    for (int n = 0; n <= kMostInWords; ++n) {
      const std::string words = number_words(language, n);
      EXPECT_TRUE(utf8_valid(words));
      EXPECT_EQ(words.find_first_of("0123456789"), std::string::npos) << words;
      EXPECT_FALSE(words.ends_with(' ') || words.find("  ") != std::string::npos) << words;
      EXPECT_TRUE(seen.insert(words).second) << words;
    }
  }
}

TEST(NumberWords, ChineseCountsWithAnotherTwo) {
  EXPECT_EQ(number_words_before_noun(Language::kChinese, 2), "两");
  EXPECT_EQ(number_words_before_noun(Language::kChinese, 12), "十二");
  EXPECT_EQ(number_words_before_noun(Language::kGerman, 2), "zwei");
}

TEST(NumberWords, DigitsOfTheScript) {
  EXPECT_EQ(native_digits(Language::kArabic, 1907), "١٩٠٧");
  EXPECT_EQ(native_digits(Language::kHindi, 4230), "४२३०");
  EXPECT_EQ(native_digits(Language::kChinese, 56), "56");
  for (const Language language : kLanguages) {
    EXPECT_EQ(has_native_digits(language), native_digits(language, 7) != "7");
    EXPECT_EQ(integer_of(native_digits(language, 9806)), 9806);
  }
}

}  // namespace
}  // namespace minke
