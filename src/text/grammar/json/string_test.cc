#include "text/grammar/json/string.h"

#include <gtest/gtest.h>

#include "text/grammar/regex.h"

namespace minke {
namespace {

Dfa lengths(int64_t min, int64_t max) {
  Budget budget{GrammarLimits{}};
  return strings_of_length(min, max, budget);
}

TEST(JsonString, lengths_count_code_points) {
  const std::string units[] = {"a", "é", "中", "😀", "\\n", "\\u0001", "\\\"", "\\\\"};
  for (const int64_t min : {0, 1, 3}) {
    for (const int64_t max : {int64_t{-1}, int64_t{0}, int64_t{2}, int64_t{5}}) {
      const Dfa dfa = lengths(min, max);
      std::string text;
      for (int64_t count = 0; count < 8; ++count) {
        const bool expected = count >= min && (max == kUncounted || count <= max);
        EXPECT_EQ(dfa.accepts(text), expected) << min << " " << max << " " << count;
        text += units[count];
      }
    }
  }
}

TEST(JsonString, invalid_utf8_is_no_string) {
  const Dfa any = lengths(0, kUncounted);
  for (const char* text : {"\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\x80", "\xe4\xb8",
                           "\xff", "\xe0\x80\x80", "\xf0\x80\x80\x80"}) {
    EXPECT_FALSE(any.accepts(text)) << text;
  }
  EXPECT_TRUE(any.accepts("\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf"));
}

TEST(JsonString, formats) {
  struct Case {
    const char *format, *valid, *invalid;
  };
  const Case cases[] = {
      {"date", "2024-02-29", "2023-02-29"},
      {"date", "2000-02-29", "1900-02-29"},
      {"date", "2023-04-30", "2023-04-31"},
      {"time", "23:59:59.5+01:30", "24:00:00Z"},
      {"date-time", "2023-01-31T00:00:00Z", "2023-01-32T00:00:00Z"},
      {"email", "joe.bloggs@example.com", ".joe@example.com"},
      {"hostname", "a-b.example", "-a.example"},
      {"uuid", "2eb8aa08-aa98-11ea-b4aa-73b441d16380", "2eb8aa08-aa98-11ea-b4aa-73b441d1638"},
      {"ipv4", "192.168.0.1", "192.168.01.1"},
      {"ipv6", "fe80::a:1", "1::2::3"},
      {"ipv6", "::", "1:2:3:4:5:6:7:8:9"},
      {"uri", "http://example.com/a%20b?c#d", "http://example.com/a b"}};
  for (const Case& c : cases) {
    Budget budget{GrammarLimits{}};
    const Dfa dfa = compile_regex(format_pattern(c.format).value(), Spelling::kJson, budget);
    EXPECT_TRUE(dfa.accepts(c.valid)) << c.format << " " << c.valid;
    EXPECT_FALSE(dfa.accepts(c.invalid)) << c.format << " " << c.invalid;
  }
  EXPECT_FALSE(format_pattern("iri"));
}

}  // namespace
}  // namespace minke
