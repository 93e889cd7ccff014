#include "learn/tasks/split.h"

#include <string>

#include <gtest/gtest.h>

namespace minke {
namespace {

TEST(Split, HoldsOutFourOfAHundred) {
  constexpr int kKeys = 100000;
  int held_out = 0;
  for (int i = 0; i < kKeys; ++i) held_out += held_out_key("sums " + std::to_string(i)) ? 1 : 0;
  // Six standard deviations of a binomial distribution.
  EXPECT_NEAR(held_out, 4000, 372);
}

TEST(Split, NeighboursAreIndependent) {
  constexpr int kKeys = 100000;
  int both = 0;
  for (int i = 0; i < kKeys; ++i) {
    const std::string stem = "sums " + std::to_string(i);
    both += held_out_key(stem + " +5") && held_out_key(stem + " +6") ? 1 : 0;
  }
  EXPECT_NEAR(both, 160, 76);
}

}  // namespace
}  // namespace minke
