#include "learn/tasks/chain.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/core/check.h"

namespace minke {
namespace {

char symbol_of(Op op) {
  constexpr char kSymbols[] = {'+', '-', '*', '/'};
  return kSymbols[static_cast<int>(op)];
}

// 203 as 200 and 3.
std::vector<int> decimal_parts(int n) {
  std::vector<int> parts;
  for (int scale = 1; n > 0; scale *= 10, n /= 10) {
    if (n % 10 != 0) parts.insert(parts.begin(), n % 10 * scale);
  }
  return parts;
}

bool power_of_ten(int n) {
  while (n > 1 && n % 10 == 0) n /= 10;
  return n == 1;
}

// "a op b = p1 op b + p2 op b = r1 + r2", without the result of the whole.
std::string in_parts(std::string_view whole, const std::vector<std::string>& parts,
                     const std::vector<int>& results) {
  return fmt::format("{} = {} = {}", whole, fmt::join(parts, " + "), fmt::join(results, " + "));
}

std::string worked_product(int a, int b) {
  const std::string whole = fmt::format("{} * {}", a, b);
  const bool split_left = decimal_parts(a).size() > 1;
  const std::vector<int> split = decimal_parts(split_left ? a : b);
  if (split.size() < 2 || power_of_ten(split_left ? b : a)) return whole;
  std::vector<std::string> parts;
  std::vector<int> results;
  for (const int part : split) {
    parts.push_back(split_left ? fmt::format("{} * {}", part, b) : fmt::format("{} * {}", a, part));
    results.push_back(part * (split_left ? b : a));
  }
  return in_parts(whole, parts, results);
}

std::string worked_quotient(int a, int b) {
  const std::string whole = fmt::format("{} / {}", a, b);
  const std::vector<int> split = decimal_parts(a / b);
  if (split.size() < 2 || power_of_ten(b)) return whole;
  std::vector<std::string> parts;
  for (const int part : split) parts.push_back(fmt::format("{} / {}", part * b, b));
  return in_parts(whole, parts, split);
}

}  // namespace

int applied(int a, Step step) {
  switch (step.op) {
    case Op::kAdd:
      return a + step.operand;
    case Op::kSubtract:
      return a - step.operand;
    case Op::kMultiply:
      return a * step.operand;
    case Op::kDivide:
      CHECK(step.operand != 0 && a % step.operand == 0);
      return a / step.operand;
  }
  CHECK(false);
}

int result_of(const Chain& chain) {
  int value = chain.start;
  for (const Step step : chain.steps) value = applied(value, step);
  return value;
}

std::string worked(int a, Step step) {
  const int b = step.operand;
  const std::string way = step.op == Op::kMultiply ? worked_product(a, b)
                          : step.op == Op::kDivide
                              ? worked_quotient(a, b)
                              : fmt::format("{} {} {}", a, symbol_of(step.op), b);
  return fmt::format("{} = {}", way, applied(a, step));
}

std::string canonical(std::string_view task, const Chain& chain) {
  std::string key = fmt::format("{} {}", task, chain.start);
  for (const Step step : chain.steps) key += fmt::format(" {}{}", symbol_of(step.op), step.operand);
  return key;
}

int draw_amount(int most, Rng& rng) {
  CHECK(most >= 2);
  constexpr int kLimits[] = {9, 99, 999};
  const int limit = std::min(most, kLimits[rng.below(3)]);
  return 2 + static_cast<int>(rng.below(static_cast<uint64_t>(limit - 1)));
}

int draw_factor(Rng& rng) {
  return 2 + static_cast<int>(rng.below(8));
}

}  // namespace minke
