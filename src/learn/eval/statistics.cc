#include "learn/eval/statistics.h"

#include <algorithm>
#include <cmath>
#include <span>

#include <utf8proc.h>

#include "base/core/check.h"
#include "base/core/utf8.h"

namespace minke {
namespace {

struct Range {
  char32_t first, last;
};

// Blocks of Unicode 15 that hold the letters of each script; of Latin, U+00D7 and U+00F7 are signs
// by their category.
constexpr Range kArabic[] = {{0x600, 0x6ff},   {0x750, 0x77f},   {0x870, 0x8ff},
                             {0xfb50, 0xfdff}, {0xfe70, 0xfeff}, {0x10ec0, 0x10eff}};
constexpr Range kHan[] = {{0x3005, 0x3007},  {0x3400, 0x4dbf},   {0x4e00, 0x9fff},
                          {0xf900, 0xfaff},  {0x20000, 0x2ebef}, {0x2f800, 0x2fa1f},
                          {0x30000, 0x323af}};
constexpr Range kDevanagari[] = {{0x900, 0x97f}, {0xa8e0, 0xa8ff}, {0x11b00, 0x11b5f}};
constexpr Range kLatin[] = {{0x41, 0x5a},     {0x61, 0x7a},     {0xaa, 0xaa},     {0xba, 0xba},
                            {0xc0, 0x24f},    {0x1e00, 0x1eff}, {0x2c60, 0x2c7f}, {0xa720, 0xa7ff},
                            {0xab30, 0xab6f}, {0xfb00, 0xfb06}};

std::span<const Range> script_of(Language language) {
  switch (language) {
    case Language::kArabic:
      return kArabic;
    case Language::kChinese:
      return kHan;
    case Language::kHindi:
      return kDevanagari;
    case Language::kEnglish:
    case Language::kGerman:
    case Language::kIndonesian:
      return kLatin;
  }
  return {};
}

bool is_letter(char32_t c) {
  const utf8proc_category_t category = utf8proc_category(static_cast<utf8proc_int32_t>(c));
  return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO;
}

}  // namespace

Interval wilson(double share, int64_t trials) {
  if (trials == 0) return {};
  constexpr double z = 1.959963984540054;
  const auto n = static_cast<double>(trials);
  const double middle = share + z * z / (2 * n);
  const double half = z * std::sqrt(share * (1 - share) / n + z * z / (4 * n * n));
  const double scale = 1 + z * z / n;
  return {std::max(0.0, (middle - half) / scale), std::min(1.0, (middle + half) / scale)};
}

double pass_at(int64_t k, int64_t n, int64_t c) {
  CHECK(0 <= c && c <= n && 1 <= k && k <= n);
  if (n - c < k) return 1;
  // 1 - (n - c over k) / (n over k), as a product.
  double none = 1;
  for (int64_t i = n - c + 1; i <= n; ++i)
    none *= 1 - static_cast<double>(k) / static_cast<double>(i);
  return 1 - none;
}

void LetterCount::add(const LetterCount& other) {
  all += other.all;
  expected += other.expected;
}

LetterCount count_letters(std::string_view text, Language language) {
  const auto script = script_of(language);
  LetterCount count;
  while (!text.empty()) {
    const size_t length = utf8_sequence_length(text);
    if (length == 0) {
      text.remove_prefix(1);
      continue;
    }
    const char32_t c = utf8_decode(text);
    text.remove_prefix(length);
    if (!is_letter(c)) continue;
    ++count.all;
    count.expected += std::ranges::any_of(
        script, [c](const Range& range) { return range.first <= c && c <= range.last; });
  }
  return count;
}

}  // namespace minke
