#include "learn/tasks/boxed.h"

#include <fmt/core.h>

namespace minke {
namespace {

constexpr std::string_view kBox = "\\boxed{";
constexpr size_t kMostDigits = 15;

std::string_view answer_word(Language language) {
  switch (language) {
    case Language::kArabic:
      return "الجواب:";
    case Language::kChinese:
      return "答案：";
    case Language::kEnglish:
      return "Answer:";
    case Language::kGerman:
      return "Antwort:";
    case Language::kHindi:
      return "उत्तर:";
    case Language::kIndonesian:
      return "Jawaban:";
  }
  return {};
}

// The first bytes of a digit's encoding, before the one that tells which digit it is; empty for
// ASCII.
constexpr std::string_view kDigitScripts[] = {"", "\xd9", "\xe0\xa5"};
// The last byte of zero in each.
constexpr unsigned char kZeros[] = {'0', 0xa0, 0xa6};

std::optional<int64_t> digits_of(std::string_view text, std::string_view lead, unsigned char zero) {
  const size_t width = lead.size() + 1;
  if (text.empty() || text.size() % width != 0 || text.size() / width > kMostDigits) return {};
  int64_t value = 0;
  for (size_t i = 0; i < text.size(); i += width) {
    const int digit = static_cast<unsigned char>(text[i + lead.size()]) - zero;
    if (text.substr(i, lead.size()) != lead || digit < 0 || digit > 9) return {};
    value = 10 * value + digit;
  }
  return value;
}

}  // namespace

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

std::string boxed_answer(Language language, std::string_view solution) {
  const std::string_view space = language == Language::kChinese ? "" : " ";
  return fmt::format("{}{}{}{}}}", answer_word(language), space, kBox, solution);
}

std::optional<std::string_view> boxed_content(std::string_view reply) {
  const size_t box = reply.find(kBox);
  if (box == std::string_view::npos || reply.find(kBox, box + 1) != std::string_view::npos) {
    return {};
  }
  const std::string_view rest = reply.substr(box + kBox.size());
  int depth = 1;
  for (size_t i = 0; i < rest.size(); ++i) {
    if (rest[i] == '{') ++depth;
    if (rest[i] == '}' && --depth == 0) return trimmed(rest.substr(0, i));
  }
  return {};
}

std::optional<int64_t> integer_of(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  for (size_t i = 0; i < std::size(kZeros); ++i) {
    if (const auto value = digits_of(text, kDigitScripts[i], kZeros[i])) {
      return negative ? -*value : *value;
    }
  }
  return {};
}

}  // namespace minke
