#include "learn/eval/answers.h"

#include <algorithm>

#include "learn/tasks/boxed.h"

namespace minke {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

bool all_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, is_digit);
}

// Replaces `from` everywhere. `whole`: not where a letter follows, which makes another command.
void replace(std::string& text, std::string_view from, std::string_view to, bool whole = false) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at)) {
    const size_t end = at + from.size();
    if (whole && end < text.size() && is_letter(text[end])) {
      at = end;
    } else {
      text.replace(at, from.size(), to);
      at += to.size();
    }
  }
}

// The place behind the brace that closes the one at `open`; npos if none does.
size_t group_end(std::string_view text, size_t open) {
  int depth = 0;
  for (size_t i = open; i < text.size(); ++i) {
    if (text[i] == '{') ++depth;
    if (text[i] == '}' && --depth == 0) return i + 1;
  }
  return std::string_view::npos;
}

void unwrap(std::string& text, std::string_view command) {
  for (size_t at = text.find(command); at != std::string::npos; at = text.find(command, at)) {
    const size_t open = at + command.size() - 1;
    const size_t end = group_end(text, open);
    if (end == std::string::npos) return;
    text.erase(end - 1, 1);
    text.erase(at, command.size());
  }
}

// Puts braces around bare arguments of one character behind each `command`.
void brace_arguments(std::string& text, std::string_view command, int arguments) {
  for (size_t at = text.find(command); at != std::string::npos; at = text.find(command, at)) {
    at += command.size();
    size_t argument = at;
    for (int i = 0; i < arguments && argument < text.size(); ++i) {
      if (text[argument] == '{') {
        argument = group_end(text, argument);
        if (argument == std::string::npos) break;
      } else if (is_digit(text[argument]) || is_letter(text[argument])) {
        text.insert(argument + 1, "}");
        text.insert(argument, "{");
        argument += 3;
      } else {
        break;
      }
    }
  }
}

void make_fraction(std::string& text) {
  const size_t slash = text.find('/');
  if (slash == std::string::npos) return;
  const bool negative = text.starts_with('-');
  const std::string above = text.substr(negative, slash - negative), below = text.substr(slash + 1);
  if (!all_digits(above) || !all_digits(below)) return;
  text = (negative ? "-\\frac{" : "\\frac{") + above + "}{" + below + "}";
}

// "12,345,678.9": groups of three digits behind the first comma.
bool has_thousands(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  const size_t point = text.find('.');
  if (point != std::string_view::npos) {
    if (!all_digits(text.substr(point + 1))) return false;
    text = text.substr(0, point);
  }
  size_t comma = text.find(',');
  if (comma == std::string_view::npos || comma == 0 || comma > 3) return false;
  if (!all_digits(text.substr(0, comma))) return false;
  for (; !text.empty(); comma = 3) {
    text.remove_prefix(comma);
    if (text.empty()) return true;
    if (text.size() < 4 || text[0] != ',' || !all_digits(text.substr(1, 3))) return false;
    text.remove_prefix(1);
  }
  return true;
}

}  // namespace

std::optional<std::string_view> last_boxed(std::string_view reply) {
  const size_t box = reply.rfind("\\boxed{");
  if (box == std::string_view::npos) return std::nullopt;
  return boxed_content(reply.substr(box));
}

std::optional<int64_t> integer_answer(std::string_view text) {
  std::string plain(text);
  // Euro, pound, yen, rupee in UTF-8.
  for (const char* sign : {"\xe2\x82\xac", "\xc2\xa3", "\xc2\xa5", "\xe2\x82\xb9"}) {
    replace(plain, sign, "");
  }
  replace(plain, "\xe2\x88\x92", "-");  // U+2212, the sign of mathematics
  constexpr std::string_view kIgnored = ",$%\\{}";
  std::erase_if(plain, [&](char c) { return is_space(c) || kIgnored.find(c) != kIgnored.npos; });
  std::string_view rest = plain;
  if (rest.ends_with('.')) rest.remove_suffix(1);
  if (const size_t point = rest.find('.'); point != std::string_view::npos) {
    const std::string_view zeros = rest.substr(point + 1);
    if (zeros.empty() || zeros.find_first_not_of('0') != zeros.npos) return std::nullopt;
    rest = rest.substr(0, point);
  }
  if (rest.starts_with('+')) {
    rest.remove_prefix(1);
    if (rest.starts_with('-')) return std::nullopt;
  }
  return integer_of(rest);
}

std::string normalised_expression(std::string_view text) {
  std::string s(text);
  for (const char* command : {"\\left", "\\right"}) replace(s, command, "", /*whole=*/true);
  for (const char* part :
       {"\\$", "$", "\\%", "%", "^\\circ", "^{\\circ}", "\\!", "\\,", "\\;", "\\:", "\\ "}) {
    replace(s, part, "");
  }
  for (const char* command : {"\\dfrac", "\\tfrac"}) replace(s, command, "\\frac");
  for (const char* command : {"\\text{", "\\mbox{", "\\textbf{", "\\mathrm{"}) unwrap(s, command);
  std::erase_if(s, is_space);
  if (s.ends_with('.')) s.pop_back();
  if (s.size() > 2 && is_letter(s[0]) && s[1] == '=') s.erase(0, 2);
  brace_arguments(s, "\\frac", 2);
  brace_arguments(s, "\\sqrt", 1);
  make_fraction(s);
  if (has_thousands(s)) std::erase(s, ',');
  if (s.size() > 1 && s[0] == '.' && is_digit(s[1])) s.insert(0, "0");
  return s;
}

}  // namespace minke
