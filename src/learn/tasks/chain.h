#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/core/rng.h"

namespace minke {

// Calculations one step after the other, of non-negative integers.

enum class Op { kAdd, kSubtract, kMultiply, kDivide };

struct Step {
  Op op = Op::kAdd;
  int operand = 0;
};

struct Chain {
  int start = 0;
  std::vector<Step> steps;
};

// `a` changed by the step. Division must be exact.
int applied(int a, Step step);
int result_of(const Chain& chain);

// The step in sums that are easy one by one, ending in the result: "12 + 5 = 17",
// "23 * 7 = 20 * 7 + 3 * 7 = 140 + 21 = 161", "161 / 7 = 140 / 7 + 21 / 7 = 20 + 3 = 23".
std::string worked(int a, Step step);

// "units 3 *100 +45": the problem without language and wording, for held_out_key.
std::string canonical(std::string_view task, const Chain& chain);

// An integer from 2 to `most` (at least 2), of one digit as often as of two or of three if they
// fit.
int draw_amount(int most, Rng& rng);
// A multiplier or divisor.
int draw_factor(Rng& rng);

}  // namespace minke
