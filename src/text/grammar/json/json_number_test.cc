#include "text/grammar/json/number.h"

#include <cmath>

#include <gtest/gtest.h>

#include "base/core/json.h"
#include "base/core/rng.h"
#include "base/core/test_folder.h"

namespace minke {
namespace {

std::optional<Decimal> decimal(std::string_view json) {
  const JsonDocument document = JsonDocument::parse(json, "n");
  return Decimal::of(document.root());
}

Dfa dfa_of_range(const NumberRange& range) {
  Budget budget{GrammarLimits{}};
  budget.set_place("n");
  return number_dfa(range, budget);
}

TEST(Decimal, numbers_are_read_exactly) {
  const std::pair<const char*, const char*> cases[] = {
      {"0", "0"},
      {"-0.0", "0"},
      {"12", "12"},
      {"-7", "-7"},
      {"0.1", "0.1"},
      {"-12.50", "-12.5"},
      {"1e3", "1000"},
      {"1.5e-7", "0.00000015"},
      {"18446744073709551615", "18446744073709551615"},
      {"1.0", "1"}};
  for (const auto& [json, text] : cases) EXPECT_EQ(decimal(json).value().text(), text) << json;
  EXPECT_FALSE(decimal("1e300"));
  EXPECT_FALSE(decimal("18446744073709551616"));
  EXPECT_FALSE(decimal("\"1\""));
}

TEST(Decimal, order) {
  const char* const sorted[] = {"-12",  "-2.5", "-2.25", "-0.5", "0",
                                "0.05", "0.5",  "2",     "10",   "10.01"};
  for (size_t i = 0; i < std::size(sorted); ++i) {
    for (size_t j = 0; j < std::size(sorted); ++j) {
      const int sign = compare(*decimal(sorted[i]), *decimal(sorted[j]));
      EXPECT_EQ(sign < 0, i < j) << sorted[i] << " " << sorted[j];
      EXPECT_EQ(sign == 0, i == j) << sorted[i] << " " << sorted[j];
    }
  }
}

// Numbers of a few digits, so that bounds are met often.
std::string random_number(Rng& rng, bool integer) {
  std::string out = rng.below(3) == 0 ? "-" : "";
  out += std::to_string(rng.below(rng.below(2) == 0 ? 12 : 1200));
  if (!integer && rng.below(2) == 0) {
    out += "." + std::to_string(rng.below(rng.below(2) == 0 ? 10 : 1000));
  }
  return out;
}

TEST(NumberDfa, bounds_and_divisors_hold_for_every_text) {
  Rng rng(3);
  int inside = 0, outside = 0;
  for (int i = 0; i < 200; ++i) {
    NumberRange range;
    range.integer = rng.below(2) == 0;
    if (rng.below(4) != 0) range.min = decimal(random_number(rng, false));
    if (rng.below(4) != 0) range.max = decimal(random_number(rng, false));
    range.min_excluded = rng.below(2) == 0;
    range.max_excluded = rng.below(2) == 0;
    const int thousandths = static_cast<int>(rng.below(3) == 0 ? 1 + rng.below(300) : 0);
    if (thousandths != 0) range.multiple_of = decimal(std::to_string(thousandths / 1000.0));
    const Dfa dfa = dfa_of_range(range);
    for (int k = 0; k < 300; ++k) {
      const std::string text = random_number(rng, range.integer);
      const Decimal number = decimal(text).value();
      bool expected = !(range.integer && text == "-0");
      if (range.min) {
        const int sign = compare(number, *range.min);
        expected = expected && (range.min_excluded ? sign > 0 : sign >= 0);
      }
      if (range.max) {
        const int sign = compare(number, *range.max);
        expected = expected && (range.max_excluded ? sign < 0 : sign <= 0);
      }
      if (thousandths != 0) {
        // Digits behind those of the divisor are never written, even if they are zeros.
        const size_t point = text.find('.');
        const size_t digits = point == std::string::npos ? 0 : text.size() - point - 1;
        const auto value = static_cast<long long>(std::llround(std::stod(text) * 1000));
        expected =
            expected && value % thousandths == 0 && digits <= range.multiple_of->fraction.size();
      }
      ASSERT_EQ(dfa.accepts(text), expected) << text << " in " << i;
      ++(expected ? inside : outside);
    }
  }
  EXPECT_GT(inside, 5000);
  EXPECT_GT(outside, 5000);
}

TEST(NumberDfa, syntax_is_that_of_json) {
  const Dfa numbers = dfa_of_range({});
  for (const char* text : {"0", "-0", "1", "-12.50", "1e5", "1E+05", "0.1e-9", "-0.0"}) {
    EXPECT_TRUE(numbers.accepts(text)) << text;
  }
  for (const char* text : {"", "-", "01", "+1", ".5", "1.", "1e", "1e+", "1e123", "--1", "1.e5",
                           "1234567890123456789", "NaN"}) {
    EXPECT_FALSE(numbers.accepts(text)) << text;
  }
  NumberRange range;
  range.integer = true;
  const Dfa integers = dfa_of_range(range);
  for (const char* text : {"0", "1", "-1", "123456789012345678"}) {
    EXPECT_TRUE(integers.accepts(text)) << text;
  }
  for (const char* text : {"-0", "1.0", "1e2", "00"}) EXPECT_FALSE(integers.accepts(text)) << text;
}

TEST(NumberDfa, an_empty_range_has_no_text) {
  NumberRange range;
  range.min = decimal("3");
  range.max = decimal("2");
  EXPECT_TRUE(dfa_of_range(range).empty());
  range.max = decimal("3");
  EXPECT_FALSE(dfa_of_range(range).empty());
  range.max_excluded = true;
  EXPECT_TRUE(dfa_of_range(range).empty());
}

TEST(NumberDfa, a_long_divisor_is_an_error) {
  NumberRange range;
  range.multiple_of = decimal("1234567");
  EXPECT_EQ(testing::error_of([&] { dfa_of_range(range); }),
            "n: expected a divisor of at most six digits, found 1234567");
}

}  // namespace
}  // namespace minke
