#include "learn/tasks/boxed.h"

#include <gtest/gtest.h>

namespace minke {
namespace {

TEST(Boxed, AnswersCarryTheirSolution) {
  for (const Language language : kLanguages) {
    EXPECT_EQ(boxed_content(boxed_answer(language, "12")), "12");
  }
}

TEST(Boxed, OnlyOneClosedBoxCounts) {
  EXPECT_EQ(boxed_content("so \\boxed{ {1} + 2 }."), "{1} + 2");
  for (const char* reply : {"", "12", "\\boxed{", "\\boxed{12", "\\boxed{{12}", "boxed{12}",
                            "\\boxed{12} \\boxed{12}", "\\boxed{\\boxed{12}}"}) {
    EXPECT_FALSE(boxed_content(reply)) << reply;
  }
}

TEST(Boxed, TrimmedOfSpacesOnBothSides) {
  EXPECT_EQ(trimmed(" \t1 2\r\n"), "1 2");
  EXPECT_EQ(trimmed("12"), "12");
  EXPECT_EQ(trimmed(" \n\t "), "");
  EXPECT_EQ(trimmed(""), "");
}

TEST(Boxed, IntegersOfThreeScripts) {
  EXPECT_EQ(integer_of("120"), 120);
  EXPECT_EQ(integer_of("-7"), -7);
  EXPECT_EQ(integer_of("٤٢"), 42);
  EXPECT_EQ(integer_of("४२०"), 420);
  for (const char* text : {"", "-", "--1", "1 2", "+1", "1.0", "1,000", "0x1", "4٢", "1e3", "٤२",
                           "1234567890123456", "\xd9", "\xe0\xa5"}) {
    EXPECT_FALSE(integer_of(text)) << text;
  }
}

}  // namespace
}  // namespace minke
