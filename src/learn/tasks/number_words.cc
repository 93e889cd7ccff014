#include "learn/tasks/number_words.h"

#include "base/core/check.h"
#include "base/core/utf8.h"

namespace minke {
namespace {

using Words = std::string_view;

std::string english(int n) {
  static constexpr Words kSmall[] = {"zero",    "one",     "two",       "three",    "four",
                                     "five",    "six",     "seven",     "eight",    "nine",
                                     "ten",     "eleven",  "twelve",    "thirteen", "fourteen",
                                     "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"};
  static constexpr Words kTens[] = {"",      "",      "twenty",  "thirty", "forty",
                                    "fifty", "sixty", "seventy", "eighty", "ninety"};
  if (n < 20) return std::string(kSmall[n]);
  const auto with_rest = [n](const std::string& head, const char* joint, int unit) {
    return n % unit == 0 ? head : head + joint + english(n % unit);
  };
  if (n < 100) return with_rest(std::string(kTens[n / 10]), "-", 10);
  if (n < 1000) return with_rest(english(n / 100) + " hundred", " ", 100);
  return with_rest(english(n / 1000) + " thousand", " ", 1000);
}

// `last`: whether the number ends here, where one is "eins" and not "ein".
std::string german(int n, bool last) {
  static constexpr Words kSmall[] = {"null",     "ein",      "zwei",     "drei",     "vier",
                                     "fünf",     "sechs",    "sieben",   "acht",     "neun",
                                     "zehn",     "elf",      "zwölf",    "dreizehn", "vierzehn",
                                     "fünfzehn", "sechzehn", "siebzehn", "achtzehn", "neunzehn"};
  static constexpr Words kTens[] = {"",        "",        "zwanzig", "dreißig", "vierzig",
                                    "fünfzig", "sechzig", "siebzig", "achtzig", "neunzig"};
  if (n == 1 && last) return "eins";
  if (n < 20) return std::string(kSmall[n]);
  if (n < 100) {
    const std::string ones = n % 10 == 0 ? "" : std::string(kSmall[n % 10]) + "und";
    return ones + std::string(kTens[n / 10]);
  }
  const int unit = n < 1000 ? 100 : 1000;
  const std::string head = german(n / unit, false) + (n < 1000 ? "hundert" : "tausend");
  return n % unit == 0 ? head : head + german(n % unit, last);
}

std::string indonesian(int n) {
  static constexpr Words kSmall[] = {"nol",  "satu",  "dua",     "tiga",     "empat",   "lima",
                                     "enam", "tujuh", "delapan", "sembilan", "sepuluh", "sebelas"};
  if (n < 12) return std::string(kSmall[n]);
  if (n < 20) return std::string(kSmall[n - 10]) + " belas";
  const int unit = n < 100 ? 10 : n < 1000 ? 100 : 1000;
  const std::string name = unit == 10 ? "puluh" : unit == 100 ? "ratus" : "ribu";
  const std::string head = n / unit == 1 ? "se" + name : indonesian(n / unit) + " " + name;
  return n % unit == 0 ? head : head + " " + indonesian(n % unit);
}

std::string chinese(int n) {
  static constexpr Words kDigits[] = {"零", "一", "二", "三", "四", "五", "六", "七", "八", "九"};
  static constexpr Words kUnits[] = {"", "十", "百", "千"};
  if (n == 0) return std::string(kDigits[0]);
  // Ten to nineteen alone begin with ten, without a one.
  if (n >= 10 && n < 20) return std::string(kUnits[1]) + (n == 10 ? "" : chinese(n - 10));
  std::string words;
  bool gap = false;  // zeros since the last digit: said once, and only if a digit follows
  for (int place = 3, scale = 1000; place >= 0; --place, scale /= 10) {
    const int digit = n / scale % 10;
    if (digit == 0) {
      gap = !words.empty();
      continue;
    }
    if (gap) words += kDigits[0];
    gap = false;
    words.append(kDigits[digit]).append(kUnits[place]);
  }
  return words;
}

std::string arabic(int n) {
  static constexpr Words kSmall[] = {"صفر",  "واحد",    "اثنان",   "ثلاثة",  "أربعة",
                                     "خمسة", "ستة",     "سبعة",    "ثمانية", "تسعة",
                                     "عشرة", "أحد عشر", "اثنا عشر"};
  static constexpr Words kTens[] = {"",      "",     "عشرون", "ثلاثون", "أربعون",
                                    "خمسون", "ستون", "سبعون", "ثمانون", "تسعون"};
  static constexpr Words kHundreds[] = {"",       "مئة",   "مئتان",  "ثلاثمئة", "أربعمئة",
                                        "خمسمئة", "ستمئة", "سبعمئة", "ثمانمئة", "تسعمئة"};
  if (n < 13) return std::string(kSmall[n]);
  if (n < 20) return std::string(kSmall[n - 10]) + " عشر";
  if (n < 100) {
    return (n % 10 == 0 ? "" : std::string(kSmall[n % 10]) + " و").append(kTens[n / 10]);
  }
  const int unit = n < 1000 ? 100 : 1000;
  const std::string head = n < 1000   ? std::string(kHundreds[n / 100])
                           : n < 2000 ? "ألف"
                           : n < 3000 ? "ألفان"
                                      : std::string(kSmall[n / 1000]) + " آلاف";
  return n % unit == 0 ? head : head + " و" + arabic(n % unit);
}

// Every number below a hundred has a word of its own.
constexpr Words kHindi[] = {
    "शून्य",    "एक",      "दो",     "तीन",     "चार",    "पाँच",     "छह",     "सात",    "आठ",
    "नौ",     "दस",      "ग्यारह",  "बारह",    "तेरह",    "चौदह",    "पंद्रह",   "सोलह",   "सत्रह",
    "अठारह",  "उन्नीस",   "बीस",    "इक्कीस",   "बाईस",   "तेईस",     "चौबीस",  "पच्चीस",  "छब्बीस",
    "सत्ताईस", "अट्ठाईस",  "उनतीस",  "तीस",     "इकतीस",  "बत्तीस",   "तैंतीस",   "चौंतीस",  "पैंतीस",
    "छत्तीस",  "सैंतीस",    "अड़तीस",  "उनतालीस", "चालीस",  "इकतालीस", "बयालीस", "तैंतालीस", "चौवालीस",
    "पैंतालीस", "छियालीस", "सैंतालीस", "अड़तालीस", "उनचास",  "पचास",    "इक्यावन", "बावन",   "तिरेपन",
    "चौवन",   "पचपन",    "छप्पन",   "सत्तावन",  "अट्ठावन", "उनसठ",    "साठ",    "इकसठ",   "बासठ",
    "तिरेसठ",  "चौंसठ",    "पैंसठ",    "छियासठ",  "सड़सठ",   "अड़सठ",    "उनहत्तर", "सत्तर",   "इकहत्तर",
    "बहत्तर",  "तिहत्तर",  "चौहत्तर", "पचहत्तर",  "छिहत्तर", "सतहत्तर",  "अठहत्तर", "उन्यासी", "अस्सी",
    "इक्यासी", "बयासी",   "तिरासी", "चौरासी",  "पचासी",  "छियासी",  "सत्तासी", "अट्ठासी", "नवासी",
    "नब्बे",    "इक्यानवे",  "बानवे",   "तिरानवे",  "चौरानवे", "पंचानवे",   "छियानवे", "सत्तानवे", "अट्ठानवे",
    "निन्यानवे"};
static_assert(std::size(kHindi) == 100);

std::string hindi(int n) {
  if (n < 100) return std::string(kHindi[n]);
  const int unit = n < 1000 ? 100 : 1000;
  const std::string head = std::string(kHindi[n / unit]) + (n < 1000 ? " सौ" : " हज़ार");
  return n % unit == 0 ? head : head + " " + hindi(n % unit);
}

char32_t native_zero(Language language) {
  if (language == Language::kArabic) return 0x660;
  if (language == Language::kHindi) return 0x966;
  return '0';
}

}  // namespace

std::string number_words(Language language, int n) {
  CHECK(n >= 0 && n <= kMostInWords);
  switch (language) {
    case Language::kArabic:
      return arabic(n);
    case Language::kChinese:
      return chinese(n);
    case Language::kEnglish:
      return english(n);
    case Language::kGerman:
      return german(n, true);
    case Language::kHindi:
      return hindi(n);
    case Language::kIndonesian:
      return indonesian(n);
  }
  CHECK(false);
}

std::string number_words_before_noun(Language language, int n) {
  CHECK(n >= 2);
  if (language == Language::kChinese && n == 2) return "两";
  return number_words(language, n);
}

bool has_native_digits(Language language) {
  return native_zero(language) != '0';
}

std::string native_digits(Language language, int n) {
  CHECK(n >= 0);
  std::string digits;
  for (const char digit : std::to_string(n)) {
    utf8_append(digits, native_zero(language) + static_cast<char32_t>(digit - '0'));
  }
  return digits;
}

}  // namespace minke
