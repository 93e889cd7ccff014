#include "learn/tasks/chain.h"

#include <gtest/gtest.h>

namespace minke {
namespace {

TEST(Chain, StepsAreWorkedInEasyParts) {
  EXPECT_EQ(worked(123, {Op::kAdd, 456}), "123 + 456 = 579");
  EXPECT_EQ(worked(12, {Op::kSubtract, 12}), "12 - 12 = 0");
  EXPECT_EQ(worked(7, {Op::kMultiply, 8}), "7 * 8 = 56");
  EXPECT_EQ(worked(200, {Op::kMultiply, 7}), "200 * 7 = 1400");
  EXPECT_EQ(worked(23, {Op::kMultiply, 7}), "23 * 7 = 20 * 7 + 3 * 7 = 140 + 21 = 161");
  EXPECT_EQ(worked(7, {Op::kMultiply, 203}), "7 * 203 = 7 * 200 + 7 * 3 = 1400 + 21 = 1421");
  EXPECT_EQ(worked(23, {Op::kMultiply, 100}), "23 * 100 = 2300");
  EXPECT_EQ(worked(56, {Op::kDivide, 8}), "56 / 8 = 7");
  EXPECT_EQ(worked(161, {Op::kDivide, 7}), "161 / 7 = 140 / 7 + 21 / 7 = 20 + 3 = 23");
  EXPECT_EQ(worked(2300, {Op::kDivide, 100}), "2300 / 100 = 23");
  EXPECT_EQ(worked(0, {Op::kDivide, 4}), "0 / 4 = 0");
}

TEST(Chain, HasAResultAndAName) {
  const Chain chain{12, {{Op::kAdd, 5}, {Op::kMultiply, 3}, {Op::kSubtract, 1}, {Op::kDivide, 10}}};
  EXPECT_EQ(result_of(chain), 5);
  EXPECT_EQ(canonical("sums", chain), "sums 12 +5 *3 -1 /10");
}

TEST(Chain, DrawsAmountsOfAllSizesWithinTheLimit) {
  Rng rng(1);
  int small = 0;
  for (int i = 0; i < 3000; ++i) {
    const int amount = draw_amount(500, rng);
    EXPECT_GE(amount, 2);
    EXPECT_LE(amount, 500);
    small += amount < 10 ? 1 : 0;
    EXPECT_EQ(draw_amount(2, rng), 2);
  }
  EXPECT_GT(small, 1000);
  EXPECT_LT(small, 1500);
}

}  // namespace
}  // namespace minke
