#include "text/grammar/call_grammar.h"

#include <gtest/gtest.h>

#include "base/core/error.h"
#include "text/grammar/grammar_constraint.h"
#include "text/grammar/grammar_testing.h"

namespace minke {
namespace {

std::shared_ptr<const Grammar> calls(bool free_blanks, bool several) {
  const CallForm form{"<{\"name\": \"", "\", \"arguments\": ", "}>,<{\"name\": \"", "}>",
                      free_blanks};
  Budget budget{GrammarLimits{}};
  const std::vector<CallTool> tools = {
      {"a", compile_json_schema(R"({"enum": [1, 2]})", budget)},
      {"ab", compile_json_schema(R"({"$defs": {"list": {"type": "array", "items":
                                     {"$ref": "#/$defs/list"}}}, "$ref": "#/$defs/list"})",
                                 budget)}};
  return compile_calls(form, tools, several, budget);
}

TEST(CallGrammar, EachNameHasItsOwnArguments) {
  const auto one = calls(false, false);
  EXPECT_TRUE(testing::accepts(one, R"(<{"name": "a", "arguments": 1}>)"));
  EXPECT_TRUE(testing::accepts(one, R"(<{"name": "ab", "arguments": [[],[[]]]}>)"));
  for (const char* bad :
       {R"(<{"name": "a", "arguments": []}>)", R"(<{"name": "ab", "arguments": 1}>)",
        R"(<{"name": "b", "arguments": 1}>)", R"(<{"name": "a"}>)", R"(<{"name":"a"}>)", "",
        R"(<{"name": "a", "arguments": 1}>,<{"name": "a", "arguments": 1}>)"}) {
    EXPECT_FALSE(testing::accepts(one, bad)) << bad;
  }
}

TEST(CallGrammar, SeveralCallsFollowOneAnother) {
  const auto several = calls(false, true);
  EXPECT_TRUE(testing::accepts(several, R"(<{"name": "a", "arguments": 1}>)"));
  EXPECT_TRUE(testing::accepts(
      several, R"(<{"name": "a", "arguments": 1}>,<{"name": "ab", "arguments": []}>)"));
  EXPECT_FALSE(testing::accepts(
      several, R"(<{"name": "a", "arguments": 1}>,<{"name": "ab", "arguments": 1}>)"));
  EXPECT_FALSE(testing::accepts(several, R"(<{"name": "a", "arguments": 1}>,)"));
}

TEST(CallGrammar, BlanksMayBeFree) {
  const auto free = calls(true, false);
  EXPECT_TRUE(testing::accepts(free, R"(<{"name":"a","arguments":1}>)"));
  EXPECT_TRUE(testing::accepts(free, "<{\"name\":\n  \"a\", \"arguments\":1}>"));
  EXPECT_FALSE(testing::accepts(free, R"(<{"name":   "a","arguments":1}>)"));
}

TEST(CallGrammar, WhatDoesNotFitTheBudgetIsAnError) {
  const std::vector<CallTool> tools = {{"a", compile_json_object()}};
  GrammarLimits limits;
  limits.max_states = 100;
  Budget small(limits);
  EXPECT_THROW(compile_calls({"", ":", "", ""}, tools, false, small), Error);
}

TEST(CallGrammar, AConstraintGoesOverTextsAndBeginsAgain) {
  const auto trie = std::make_shared<const TokenTrie>(testing::vocabulary({"<{\""}));
  GrammarConstraint constraint(calls(false, false), trie, {trie->size() - 1});
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(constraint.takes("<{\"name"));
    EXPECT_FALSE(constraint.takes("<{\"x"));
    constraint.accept_text(R"(<{"name": "a", "arguments": 2})");
    EXPECT_FALSE(constraint.can_end());
    constraint.accept_text(">");
    EXPECT_TRUE(constraint.can_end());
    EXPECT_FALSE(constraint.takes("<"));
    constraint.restart();
  }
}

}  // namespace
}  // namespace minke
