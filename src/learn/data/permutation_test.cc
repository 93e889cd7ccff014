#include "learn/data/permutation.h"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

namespace minke {
namespace {

std::vector<uint64_t> order(uint64_t size, uint64_t seed) {
  const Permutation permutation(size, seed);
  std::vector<uint64_t> all;
  for (uint64_t i = 0; i < size; ++i) all.push_back(permutation(i));
  return all;
}

TEST(Permutation, EveryNumberOnce) {
  for (const uint64_t size : {1, 2, 3, 4, 5, 16, 17, 63, 64, 65, 255, 256, 257, 1000, 4097}) {
    for (uint64_t seed = 0; seed < 3; ++seed) {
      std::vector<bool> seen(size);
      for (const uint64_t value : order(size, seed)) {
        ASSERT_LT(value, size);
        EXPECT_FALSE(seen[value]) << size << " " << value;
        seen[value] = true;
      }
    }
  }
}

TEST(Permutation, SeedsGiveOtherOrders) {
  EXPECT_EQ(order(1000, 1), order(1000, 1));
  EXPECT_NE(order(1000, 1), order(1000, 2));
}

// In a random order a number stays in place once on average, and neighbours are far apart.
TEST(Permutation, TheOrderLooksRandom) {
  constexpr uint64_t kSize = 10000;
  const auto all = order(kSize, 7);
  int in_place = 0;
  double distance = 0;
  for (uint64_t i = 0; i < kSize; ++i) {
    in_place += all[i] == i;
    if (i > 0) distance += std::abs(static_cast<double>(all[i]) - static_cast<double>(all[i - 1]));
  }
  EXPECT_LT(in_place, 8);
  EXPECT_NEAR(distance / (kSize - 1), kSize / 3.0, kSize * 0.01);
}

TEST(Permutation, HugeSizesTakeNoMemory) {
  const Permutation permutation(UINT64_MAX, 3);
  EXPECT_NE(permutation(0), permutation(1));
  EXPECT_LT(permutation(UINT64_MAX - 1), UINT64_MAX);
}

}  // namespace
}  // namespace minke
