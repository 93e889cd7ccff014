#include <string>

#include <fmt/core.h>
#include <gtest/gtest.h>

#include "base/core/test_folder.h"
#include "text/grammar/grammar.h"
#include "text/grammar/grammar_testing.h"

namespace minke {
namespace {

struct Case {
  const char* grammar;
  std::vector<std::string> accepted, refused;
};

TEST(Ebnf, texts_of_the_root_rule) {
  const Case cases[] = {
      {"root ::= \"a\"", {"a"}, {"", "b", "aa"}},
      {"root ::= \"a\" | \"b\" \"c\" |", {"a", "bc", ""}, {"ac", "c"}},
      {"root ::= (\"a\" | \"b\")* \"c\"", {"c", "abbac"}, {"ab", "cc"}},
      {"root ::= \"a\"? \"b\"+", {"b", "ab", "abbb"}, {"a", "aab"}},
      {"root ::= \"a\"{2} \"b\"{1,} \"c\"{0,2}", {"aab", "aabbcc"}, {"ab", "aa", "aabccc"}},
      {"root ::= [a-c] [^a-c] [\\]\\-x]", {"adx", "b]-", "c😀]"}, {"aax", "dd-", "ad\\"}},
      {"root ::= [+-]", {"+", "-"}, {",", ""}},
      {"root ::= .", {"a", "\n", "😀"}, {"", "ab", "\xff"}},
      {"root ::= \"\\n\\t\\\"\\\\\\x41\\u00e9\\U0001F600\"", {"\n\t\"\\Aé😀"}, {"x"}},
      {"root ::= a b\na ::= \"x\" # one\n  | \"y\"\n# another\nb ::=\n  \"z\"",
       {"xz", "yz"},
       {"x", "z"}},
      {"root ::= item (\",\" item)*\nitem ::= [0-9]+ | \"(\" root \")\"",
       {"1", "1,23", "(1,(2)),3"},
       {"", "1,", "(1", "1)"}},
      {"root ::= \"a\" root \"b\" | \"a\" root \"c\" | \"\"",
       {"", "ab", "aabc", "aaabcb"},
       {"a", "abc", "aab"}},
      {"root ::= a a a\na ::= \"x\"*", {"", "xxxx"}, {"y"}},
      {"root ::= \"\"", {""}, {"a"}},
      {"root ::= list\nlist ::= \"a\" | \"a,\" list", {"a", "a,a,a"}, {"a,", ",a"}},
  };
  for (const Case& c : cases) {
    const auto grammar = compile_ebnf(c.grammar);
    for (const std::string& text : c.accepted) {
      EXPECT_TRUE(testing::accepts(grammar, text)) << c.grammar << "\n" << text;
    }
    for (const std::string& text : c.refused) {
      EXPECT_FALSE(testing::accepts(grammar, text)) << c.grammar << "\n" << text;
    }
  }
}

TEST(Ebnf, long_texts_of_recursive_rules) {
  const auto nested = compile_ebnf("root ::= \"(\" root? \")\"");
  const std::string deep = std::string(20'000, '(') + std::string(20'000, ')');
  EXPECT_TRUE(testing::accepts(nested, deep));
  EXPECT_FALSE(testing::accepts(nested, deep + ")"));
  const auto list = compile_ebnf("root ::= \"a\" root | \"a\"");
  EXPECT_TRUE(testing::accepts(list, std::string(50'000, 'a')));
}

TEST(Ebnf, errors_say_where_and_what) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "grammar: expected a rule \"root\", found none of this name"},
      {"root ::= other", "grammar: expected a rule \"other\", found none of this name"},
      {"root ::= \"a\"\nroot ::= \"b\"", "grammar: expected each rule once, found \"root\" twice"},
      {"root ::= root \"a\" | \"b\"",
       "grammar: expected rules that begin with some text, found \"root\", which begins with "
       "itself"},
      {"root ::= \"a\"* b\nb ::= root \"x\" | \"y\"",
       "grammar: expected rules that begin with some text, found \"root\", which begins with "
       "itself"},
      {"root ::= \"a\" root",
       "grammar: expected something that a finite text can meet, found what no text meets"},
      {"root = \"a\"", "grammar: character 6: expected \"::=\", found \"=\""},
      {"root ::= \"a",
       "grammar: character 12: expected the end of a literal or class, found the "
       "end"},
      {"root ::= (\"a\"", "grammar: character 14: expected \")\", found the end"},
      {"root ::= \"a\")", "grammar: character 13: expected the next rule, found \")\""},
      {"root ::= \"\\q\"",
       "grammar: character 12: expected one of \\n \\r \\t \\x \\u \\U \\\" "
       "\\\\ \\[ \\] \\- \\^, found \"q\""},
      {"root ::= [b-a]",
       "grammar: character 14: expected a range in rising order before it, "
       "found \"]\""},
  };
  for (const auto& [grammar, message] : cases) {
    EXPECT_EQ(testing::error_of([&, text = grammar] { compile_ebnf(text); }), message);
  }
  for (const char* grammar :
       {"root ::= []", "root ::= [^]", "root ::= \"a\"{2,1}", "root ::= *", "root ::= \"\\ud800\"",
        "1 ::= \"a\"", "root ::= \"a\"**", "\xff", "root ::= \"a\"{", "root ::= \"a\"{100001}"}) {
    EXPECT_NE(testing::error_of([&] { compile_ebnf(grammar); }), "") << grammar;
  }
}

TEST(Ebnf, limits) {
  const std::string deep = "root ::= " + std::string(200'000, '(');
  EXPECT_NE(testing::error_of([&] { compile_ebnf(deep); }).find("levels"), std::string::npos);
  const std::string counts = "root ::= (((\"a\"{1000}){1000}){1000}){1000}";
  EXPECT_NE(testing::error_of([&] { compile_ebnf(counts); }).find("states"), std::string::npos);
  GrammarLimits limits;
  limits.max_text = 10;
  EXPECT_EQ(testing::error_of([&] { compile_ebnf("root ::= \"a\"", limits); }),
            "grammar: expected at most 10 bytes, found 12");
}

TEST(Ebnf, optional_parts_in_sequence_are_bounded) {
  // A list has many parts and no sequence of them.
  std::string list = "root ::= (\"a0\"";
  for (int i = 1; i < 9000; ++i) list += fmt::format(" | \"a{}\"", i);
  EXPECT_NO_THROW(compile_ebnf(list + ")+"));
  EXPECT_NO_THROW(compile_ebnf("root ::= (\"a\"?){1500} \"!\""));
  for (const char* text :
       {"root ::= (\"a\"?){90000} \"!\"", "root ::= x{9000}\nx ::= \"a\"?",
        "root ::= \"\" b \"0\" | \"a\" b \"1\"\nb ::= (([a-z] \" \"?)?){9000}"}) {
    EXPECT_EQ(testing::error_of([&] { compile_ebnf(text); }),
              "grammar: optional parts in sequence: expected a grammar that compiles in 10000000 "
              "steps, found one that needs more")
        << text;
  }
}

}  // namespace
}  // namespace minke
