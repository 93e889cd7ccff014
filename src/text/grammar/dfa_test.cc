#include "text/grammar/dfa.h"

#include <gtest/gtest.h>

#include "base/core/test_folder.h"
#include "text/grammar/regex.h"

namespace minke {
namespace {

Dfa dfa(std::string_view pattern) {
  Budget budget{GrammarLimits{}};
  return compile_regex(pattern, Spelling::kPlain, budget);
}

TEST(Dfa, intersection_and_difference) {
  Budget budget{GrammarLimits{}};
  const Dfa a = dfa("^a*b*$"), b = dfa("^(aa|bb)*$");
  const Dfa both = intersect(a, b, budget), rest = subtract(a, b, budget);
  for (const char* text : {"", "aa", "aabb", "bb", "aaaabb"}) {
    EXPECT_TRUE(both.accepts(text)) << text;
    EXPECT_FALSE(rest.accepts(text)) << text;
  }
  for (const char* text : {"a", "ab", "abb", "b", "aab"}) {
    EXPECT_FALSE(both.accepts(text)) << text;
    EXPECT_TRUE(rest.accepts(text)) << text;
  }
  for (const char* text : {"ba", "bbaa", "c"}) {
    EXPECT_FALSE(both.accepts(text)) << text;
    EXPECT_FALSE(rest.accepts(text)) << text;
  }
}

TEST(Dfa, nothing_in_common_is_no_state) {
  Budget budget{GrammarLimits{}};
  EXPECT_TRUE(intersect(dfa("^a"), dfa("^b"), budget).empty());
  EXPECT_TRUE(subtract(dfa("^ab?$"), dfa("^a"), budget).empty());
  EXPECT_TRUE(intersect(dfa("^a"), Dfa(), budget).empty());
  EXPECT_TRUE(subtract(dfa("^a$"), Dfa(), budget).accepts("a"));
}

TEST(Dfa, endless_if_no_beginning_is_a_dead_end) {
  EXPECT_TRUE(is_endless(dfa("a")));
  EXPECT_TRUE(is_endless(dfa("^a+$")));
  EXPECT_FALSE(is_endless(dfa("^a{1,9}$")));
  EXPECT_FALSE(is_endless(dfa("^(a+|b)$")));
  EXPECT_FALSE(is_endless(Dfa()));
  EXPECT_FALSE(is_endless(dfa_of("abc")));
}

TEST(Dfa, a_large_one_is_an_error) {
  GrammarLimits limits;
  limits.max_states = 1000;
  Budget budget(limits);
  budget.set_place("here");
  // The last of the twenty characters before the end: 2^20 states.
  const std::string error =
      testing::error_of([&] { compile_regex("a[ab]{20}$", Spelling::kPlain, budget); });
  EXPECT_EQ(error, "here: expected a grammar of at most 1000 states, found a larger one");
}

TEST(Dfa, many_steps_are_an_error) {
  GrammarLimits limits;
  limits.max_steps = 1000;
  Budget budget(limits);
  budget.set_place("here");
  const std::string error =
      testing::error_of([&] { compile_regex("[ab]{100}", Spelling::kPlain, budget); });
  EXPECT_NE(error.find("compiles in 1000 steps"), std::string::npos) << error;
}

}  // namespace
}  // namespace minke
