#include "learn/tasks/code/listings.h"

#include <array>
#include <cctype>
#include <map>
#include <vector>

#include <fmt/core.h>

#include "learn/tasks/python/python.h"

namespace minke {
namespace {

int between(Rng& rng, int least, int most) {
  return least + static_cast<int>(rng.below(static_cast<uint64_t>(most - least) + 1));
}

template <size_t kCount>
std::string_view one_of(Rng& rng, const std::array<std::string_view, kCount>& choices) {
  return choices[rng.below(kCount)];
}

// Three different names.
std::array<std::string, 3> names(Rng& rng) {
  constexpr std::array<std::string_view, 4> kSets = {"abc", "xyz", "pqr", "mnk"};
  const std::string_view set = one_of(rng, kSets);
  return {std::string(1, set[0]), std::string(1, set[1]), std::string(1, set[2])};
}

std::string_view operation(Rng& rng) {
  constexpr std::array<std::string_view, 6> kOperations = {"+", "+", "-", "*", "//", "%"};
  return one_of(rng, kOperations);
}

std::string_view comparison(Rng& rng) {
  constexpr std::array<std::string_view, 4> kComparisons = {"<", ">", "<=", ">="};
  return one_of(rng, kComparisons);
}

std::string assignments(Rng& rng) {
  const auto [a, b, c] = names(rng);
  std::string text =
      fmt::format("{} = {}\n{} = {}\n", a, between(rng, 2, 20), b, between(rng, 2, 9));
  text += fmt::format("{} = {} {} {}\n", c, a, operation(rng), b);
  if (rng.below(2) == 0) text += fmt::format("{} {}= {}\n", b, rng.below(2) == 0 ? "+" : "-", c);
  if (rng.below(2) == 0)
    text += fmt::format("{} = {} {} {}\n", c, c, operation(rng), between(rng, 2, 6));
  return text + fmt::format("print({})\n", rng.below(3) == 0 ? b : c);
}

std::string branches(Rng& rng) {
  const auto [a, b, c] = names(rng);
  std::string text =
      fmt::format("{} = {}\n{} = {}\n", a, between(rng, 1, 20), b, between(rng, 2, 12));
  text += rng.below(3) == 0 ? fmt::format("if {} % {} == 0:\n", a, between(rng, 2, 3))
                            : fmt::format("if {} {} {}:\n", a, comparison(rng), b);
  text += fmt::format("    {} = {} {} {}\nelse:\n", c, a, operation(rng), b);
  text += fmt::format("    {} = {} {} {}\n", c, b, operation(rng), between(rng, 2, 6));
  if (rng.below(2) == 0) text += fmt::format("{} += {}\n", c, a);
  return text + fmt::format("print({})\n", c);
}

// The head of a loop over `name` of 2 to 4 turns.
std::string loop_head(Rng& rng, std::string_view name) {
  if (rng.below(2) == 0) return fmt::format("for {} in range({}):\n", name, between(rng, 2, 4));
  return fmt::format("for {} in [{}, {}, {}]:\n", name, between(rng, 1, 9), between(rng, 1, 9),
                     between(rng, 1, 9));
}

std::string loop(Rng& rng) {
  const auto [a, b, c] = names(rng);
  if (rng.below(4) == 0) {
    const bool halves = rng.below(2) == 0;
    const int start = halves ? between(rng, 5, 40) : between(rng, 8, 20);
    return fmt::format(
        "{0} = {1}\n{2} = 0\nwhile {0} > {3}:\n    {0} {4}\n    {2} += 1\nprint({5})\n", a, start,
        b, between(rng, 1, 4),
        halves ? std::string("//= 2") : fmt::format("-= {}", between(rng, 4, 6)),
        rng.below(2) == 0 ? a : b);
  }
  std::string text = fmt::format("{} = {}\n{}", a, between(rng, 0, 6), loop_head(rng, b));
  switch (rng.below(4)) {
    case 0:
      return text + fmt::format("    {0} += {1}\nprint({0})\n", a, b);
    case 1:
      return text + fmt::format("    {2} = {1} * {3}\n    {0} += {2}\nprint({0})\n", a, b, c,
                                between(rng, 2, 5));
    case 2:
      return text + fmt::format("    if {1} {2} {3}:\n        {0} += {1}\nprint({0})\n", a, b,
                                comparison(rng), between(rng, 1, 5));
    default:
      return fmt::format(
          "{0} = []\nfor {1} in [{2}, {3}, {4}]:\n    {5} = {1} * {6}\n    {0}.append({5})\n"
          "print({0})\n",
          a, b, between(rng, 1, 9), between(rng, 1, 9), between(rng, 1, 9), c, between(rng, 2, 5));
  }
}

std::string function(Rng& rng) {
  const auto [a, b, c] = names(rng);
  constexpr std::array<std::string_view, 3> kFunctions = {"f", "g", "total"};
  const std::string_view f = one_of(rng, kFunctions);
  const int first = between(rng, 0, 5);
  const int factor = between(rng, 2, 4);
  std::string body;
  switch (rng.below(3)) {
    case 0:
      body = fmt::format("    for {} in range({}):\n        {} += {}\n", c, a, b, c);
      break;
    case 1:
      body = fmt::format("    for {} in range({}):\n        {} = {} + {}\n", c, a, b, b, factor);
      break;
    default:
      body = fmt::format("    while {0} > 0:\n        {1} += {0}\n        {0} -= {2}\n", a, b,
                         between(rng, 1, 2));
      break;
  }
  std::string text =
      fmt::format("def {}({}):\n    {} = {}\n{}    return {}\n", f, a, b, first, body, b);
  if (rng.below(2) == 0) return text + fmt::format("print({}({}))\n", f, between(rng, 2, 4));
  return text + fmt::format("{0} = {1}({2})\nprint({0} {3} {4})\n", c, f, between(rng, 2, 4),
                            rng.below(2) == 0 ? "+" : "*", factor);
}

bool is_name_start(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) != 0;
}
bool is_name_part(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0;
}

using Values = std::map<std::string, std::string, std::less<>>;

// `text` with each name that has a value replaced by it.
std::string substituted(std::string_view text, const Values& values) {
  std::string out;
  for (size_t i = 0; i < text.size();) {
    size_t end = i + 1;
    if (is_name_start(text[i])) {
      while (end < text.size() && is_name_part(text[end])) ++end;
    }
    const auto found = values.find(text.substr(i, end - i));
    out += found != values.end() ? std::string_view(found->second) : text.substr(i, end - i);
    i = end;
  }
  return out;
}

std::vector<std::string> lines_of(const std::string& source) {
  std::vector<std::string> lines;
  for (size_t at = 0; at < source.size();) {
    const size_t end = source.find('\n', at);
    const size_t first = source.find_first_not_of(' ', at);
    lines.push_back(source.substr(first, end - first));
    at = end + 1;
  }
  return lines;
}

// Writes the steps while a program runs.
class Narrator {
 public:
  explicit Narrator(const std::string& source) : lines_(lines_of(source)) {}

  void hear(const python::Event& event) {
    const std::string_view line = lines_[static_cast<size_t>(event.line) - 1];
    switch (event.kind) {
      case python::Event::Kind::kAssigned:
        add(assigned(event, line));
        values_.back()[event.name] = event.value;
        break;
      case python::Event::Kind::kLoop:
        values_.back()[event.name] = event.value;
        begin(fmt::format("{} = {}", event.name, event.value));
        break;
      case python::Event::Kind::kTested:
        tested(event, line);
        break;
      case python::Event::Kind::kCalled:
        calls_.push_back(event.name + event.value);
        values_.emplace_back();
        call(event);
        break;
      case python::Event::Kind::kReturned:
        values_.pop_back();
        finish();
        text_ += fmt::format("{} = {}\n", calls_.back(), event.value);
        calls_.pop_back();
        break;
    }
  }

  // Ends with what the last line, "print(a + 4)", computes.
  std::string take(const std::string& printed) {
    finish();
    const std::string& last = lines_.back();
    const std::string argument = last.substr(6, last.size() - 7);
    if (argument.find(' ') != std::string::npos) {
      text_ += fmt::format("{} = {}", substituted(argument, values_.back()), printed);
    }
    if (!text_.empty()) text_.pop_back();
    return std::move(text_);
  }

 private:
  // A line of its own, or one more step of the turn that is being written.
  void add(const std::string& step) {
    if (turn_.empty()) {
      text_ += step + "\n";
    } else {
      turn_ += (turn_.ends_with(':') ? " " : ", ") + step;
    }
  }
  void begin(const std::string& turn) {
    finish();
    turn_ = turn + ":";
  }
  void finish() {
    if (!turn_.empty()) text_ += turn_ + "\n";
    turn_.clear();
  }

  // The parameter gets its value with the call: the text between "def f(" and ")".
  void call(const python::Event& event) {
    for (const std::string& line : lines_) {
      const std::string head = fmt::format("def {}(", event.name);
      if (!line.starts_with(head)) continue;
      const std::string parameter = line.substr(head.size(), line.find(')') - head.size());
      const std::string value = event.value.substr(1, event.value.size() - 2);
      values_.back()[parameter] = value;
      text_ += fmt::format("{}: {} = {}\n", calls_.back(), parameter, value);
    }
  }

  std::string assigned(const python::Event& event, std::string_view line) const {
    const std::string plain = fmt::format("{} = {}", event.name, event.value);
    const size_t equals = line.find("= ");
    const size_t space = line.find(' ');
    // What was called has said what it returns, and a list shows all it holds.
    if (equals == std::string_view::npos || line.find('(') != std::string_view::npos) return plain;
    std::string right(line.substr(equals + 2));
    if (equals > space + 1) {
      right =
          fmt::format("{} {} {}", event.name, line.substr(space + 1, equals - space - 1), right);
    }
    const std::string worked = substituted(right, values_.back());
    if (worked == event.value) return plain;
    return fmt::format("{} = {} = {}", event.name, worked, event.value);
  }

  void tested(const python::Event& event, std::string_view line) {
    const size_t space = line.find(' ');
    const std::string test =
        substituted(line.substr(space + 1, line.size() - space - 2), values_.back());
    const std::string step = fmt::format("{} {}", test, event.value);
    if (line.starts_with("while")) {
      begin(step);
      if (event.value == "False") {
        turn_.pop_back();
        finish();
      }
    } else {
      add(step);
    }
  }

  std::vector<std::string> lines_;
  std::string text_;
  std::string turn_;
  std::vector<std::string> calls_;
  std::vector<Values> values_{1};
};

// Whether no number in `text` has more than three digits.
bool short_numbers(std::string_view text) {
  int digits = 0;
  for (const char c : text) {
    digits = c >= '0' && c <= '9' ? digits + 1 : 0;
    if (digits > 3) return false;
  }
  return true;
}

}  // namespace

std::string random_listing(int level, Rng& rng) {
  constexpr std::array kMakers = {assignments, branches, loop, function};
  for (;;) {
    std::string text = kMakers[static_cast<size_t>(level) - 1](rng);
    if (short_numbers(python::run(text)) && short_numbers(steps_of(text))) return text;
  }
}

std::string steps_of(const std::string& source) {
  Narrator narrator(source);
  return narrator.take(
      python::run(source, {}, [&](const python::Event& event) { narrator.hear(event); }));
}

}  // namespace minke
