#include "learn/eval/statistics.h"

#include <bit>

#include <gtest/gtest.h>

namespace minke {
namespace {

TEST(Wilson, GivesTheKnownBounds) {
  const Interval none = wilson(0, 10);
  EXPECT_DOUBLE_EQ(none.low, 0);
  EXPECT_NEAR(none.high, 0.27753, 1e-5);
  const Interval half = wilson(0.5, 10);
  EXPECT_NEAR(half.low, 0.23659, 1e-5);
  EXPECT_NEAR(half.high, 0.76341, 1e-5);
  EXPECT_NEAR(wilson(1, 10).low, 0.72247, 1e-5);
  EXPECT_DOUBLE_EQ(wilson(1, 10).high, 1);
  EXPECT_DOUBLE_EQ(wilson(0, 0).low, 0);
  EXPECT_DOUBLE_EQ(wilson(0, 0).high, 1);
}

// Counts the subsets of k samples that hold one of the first c.
double counted(int k, int n, int c) {
  int all = 0, right = 0;
  for (unsigned subset = 0; subset < 1u << n; ++subset) {
    if (std::popcount(subset) != k) continue;
    ++all;
    right += (subset & ((1u << c) - 1)) != 0;
  }
  return static_cast<double>(right) / all;
}

TEST(PassAt, CountsSubsets) {
  for (int n = 1; n <= 8; ++n) {
    for (int k = 1; k <= n; ++k) {
      for (int c = 0; c <= n; ++c) {
        EXPECT_NEAR(pass_at(k, n, c), counted(k, n, c), 1e-12) << k << " " << n << " " << c;
      }
    }
  }
  EXPECT_NEAR(pass_at(100, 10000, 100), 0.6358, 1e-4);
}

}  // namespace
}  // namespace minke
