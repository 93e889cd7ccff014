#include "learn/eval/answers.h"

#include <gtest/gtest.h>

namespace minke {
namespace {

TEST(LastBoxed, TakesTheLast) {
  EXPECT_EQ(last_boxed("\\boxed{1} so \\boxed{ \\frac{1}{2} }."), "\\frac{1}{2}");
  EXPECT_EQ(last_boxed("\\boxed{1} so \\boxed{2"), std::nullopt);
  EXPECT_EQ(last_boxed("42"), std::nullopt);
  EXPECT_EQ(last_boxed(""), std::nullopt);
}

TEST(IntegerAnswer, RemovesWhatIsWritten) {
  for (const char* text :
       {"1000", " 1,000 ", "$1,000", "\\$1,000.00", "1{,}000", "1000.",
        "\xe2\x82\xac"
        "1 000",
        "+1000", "1000\\%", "1000%", "\u0661\u0660\u0660\u0660", "\u0967,\u0966\u0966\u0966"}) {
    EXPECT_EQ(integer_answer(text), 1000) << text;
  }
  EXPECT_EQ(integer_answer("-7"), -7);
  EXPECT_EQ(integer_answer("$-7"), -7);
  EXPECT_EQ(integer_answer("\u22127"), -7);
  for (const char* text : {"", ".", "-", "4.5", "42 km", "4..0", "1/2", "1e3", "4.0.0", "--1",
                           "1000000000000000", "+-1", "1\u0662"}) {
    EXPECT_EQ(integer_answer(text), std::nullopt) << text;
  }
}

TEST(NormalisedExpression, MakesOneOfWhatIsWrittenInManyWays) {
  const auto same = [](const char* a, const char* b) {
    EXPECT_EQ(normalised_expression(a), normalised_expression(b)) << a << " | " << b;
  };
  same("\\dfrac{1}{2}", "\\frac12");
  same("1/2", "\\tfrac 12");
  same("-1/2", "-\\frac{1}{2}");
  same("\\sqrt3", "\\sqrt{3}");
  same("\\left( 3, \\frac{\\pi}{2} \\right)", "(3,\\frac{\\pi}{2})");
  same("x = 5", "5");
  same("90^\\circ", "90^{\\circ}");
  same("10\\%", "10");
  same("\\text{Evelyn}", "Evelyn");
  same("\\$1,234", "1234");
  same("1\\,234\\,567", "1234567");
  same(".5", "0.5");
  same("11,\\! 111,\\! 111,\\! 100", "11111111100");
  same("\\frac{1}2", "\\frac1{2}");
}

TEST(NormalisedExpression, KeepsWhatDiffers) {
  const auto differ = [](const char* a, const char* b) {
    EXPECT_NE(normalised_expression(a), normalised_expression(b)) << a << " | " << b;
  };
  differ("1,2", "12");
  differ("1,2345", "12345");
  differ("0.5", "1/2");
  differ("\\leftarrow", "arrow");
  differ("x^2", "x_2");
  differ("-3", "3");
  EXPECT_EQ(normalised_expression("\\leftarrow"), "\\leftarrow");
  EXPECT_EQ(normalised_expression("1,2"), "1,2");
  EXPECT_EQ(normalised_expression("a/2"), "a/2");
}

TEST(NormalisedExpression, TakesAnything) {
  for (const char* text : {"", ".", "\\text{", "\\frac", "\\frac{", "\\frac1", "\\sqrt", "}{", ",",
                           "1,", "-", "/", "1/", "x=", "\\", "\xff"}) {
    normalised_expression(text);
  }
  EXPECT_EQ(normalised_expression("\\text{a"), "\\text{a");
  EXPECT_EQ(normalised_expression("\\frac{1"), "\\frac{1");
}

}  // namespace
}  // namespace minke
