#pragma once

#include <optional>
#include <string>

#include <simdjson.h>

#include "text/grammar/budget.h"
#include "text/grammar/dfa.h"

namespace minke {

// A number of a schema, exactly.
struct Decimal {
  bool negative = false;  // never for zero
  std::string whole;      // digits without leading zeros, "0" for none
  std::string fraction;   // digits without trailing zeros

  // nullopt if it is no number, or one for which 64-bit integers and doubles are too coarse to know
  // which was written.
  static std::optional<Decimal> of(simdjson::dom::element number);
  // The one way in which it is written here: without an exponent.
  std::string text() const;
  bool is_integer() const { return fraction.empty(); }
  bool is_zero() const { return whole == "0" && fraction.empty(); }
};

// Below zero if a < b, above zero if a > b.
int compare(const Decimal& a, const Decimal& b);

struct NumberRange {
  bool integer = false;
  std::optional<Decimal> min, max, multiple_of;
  bool min_excluded = false, max_excluded = false;
};

// Numbers have at most these digits, so that readers with 64-bit integers and doubles can read
// them.
inline constexpr int kWholeDigits = 18, kFractionDigits = 17, kExponentDigits = 2;

// The JSON numbers in the range. Integers are written as such, without "-0"; with bounds or a
// divisor no number has an exponent. Throws Error for a divisor with too many digits.
Dfa number_dfa(const NumberRange& range, Budget& budget);

}  // namespace minke
