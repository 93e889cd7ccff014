#include "learn/tasks/formula.h"

namespace minke {
namespace {

constexpr size_t kMostBytes = 200;
constexpr size_t kMostDigits = 6;
constexpr int kMostNesting = 20;
// Far from the limits of 64 bits, also after one more product.
constexpr int64_t kLargest = 1'000'000'000;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Each reader returns whether it read what it is named after, and leaves its worth in `value`.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  std::optional<FormulaValue> run() {
    FormulaValue result;
    if (!sum(result.value)) return {};
    skip_spaces();
    if (at_ != text_.size()) return {};
    result.numbers = std::move(numbers_);
    return result;
  }

 private:
  void skip_spaces() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }

  // The next character if it is one of `choices`; 0 if not.
  char take(std::string_view choices) {
    skip_spaces();
    if (at_ == text_.size() || choices.find(text_[at_]) == std::string_view::npos) return 0;
    return text_[at_++];
  }

  bool sum(int64_t& value) {
    if (!product(value)) return false;
    while (const char op = take("+-")) {
      int64_t other = 0;
      if (!product(other)) return false;
      value += op == '+' ? other : -other;
      if (!bounded(value)) return false;
    }
    return true;
  }

  bool product(int64_t& value) {
    if (!factor(value)) return false;
    while (const char op = take("*/")) {
      int64_t other = 0;
      if (!factor(other)) return false;
      if (op == '*') {
        value *= other;
      } else {
        if (other == 0 || value % other != 0) return false;
        value /= other;
      }
      if (!bounded(value)) return false;
    }
    return true;
  }

  bool factor(int64_t& value) {
    if (take("(") == 0) return number(value);
    if (++nesting_ > kMostNesting) return false;
    const bool closed = sum(value) && take(")") != 0;
    --nesting_;
    return closed;
  }

  bool number(int64_t& value) {
    skip_spaces();
    const size_t start = at_;
    for (value = 0; at_ < text_.size() && is_digit(text_[at_]); ++at_) {
      if (at_ - start == kMostDigits) return false;
      value = 10 * value + (text_[at_] - '0');
    }
    if (at_ == start || (text_[start] == '0' && at_ - start > 1)) return false;
    numbers_.push_back(value);
    return true;
  }

  static bool bounded(int64_t value) { return value >= -kLargest && value <= kLargest; }

  std::string_view text_;
  size_t at_ = 0;
  int nesting_ = 0;
  std::vector<int64_t> numbers_;
};

}  // namespace

std::optional<FormulaValue> formula_value(std::string_view text) {
  if (text.size() > kMostBytes) return {};
  return Reader(text).run();
}

}  // namespace minke
