#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace minke {

struct FormulaValue {
  int64_t value = 0;
  std::vector<int64_t> numbers;  // those that stand in it, from left to right
};

// What a formula of whole numbers, + - * / and parentheses is worth; nothing if it is anything
// else, if a division leaves a remainder, or if a number has more than 6 digits or begins with 0.
// Never throws, whatever the bytes; longer than 200 bytes is nothing.
std::optional<FormulaValue> formula_value(std::string_view text);

}  // namespace minke
