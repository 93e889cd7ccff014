#include "apps/measure/token_speed.h"

#include <gtest/gtest.h>

namespace minke {
namespace {

using Numbers = std::vector<int64_t>;

TEST(SpeedPoints, ContextHoldsTheLongestPoint) {
  EXPECT_EQ((SpeedPoints{{128, 512}, {0, 100}, 32, 1}.context()), 512);
  EXPECT_EQ((SpeedPoints{{128, 512}, {1000, 0}, 32, 1}.context()), 1032);
  EXPECT_EQ((SpeedPoints{{}, {0}, 5, 1}.context()), 5);
}

TEST(SpeedPoints, AreMeasuredUpwardsAndOnce) {
  const auto points = points_within({{512, 128, 512}, {4096, 0, 4096}, 32, 3}, 1 << 20);
  EXPECT_EQ(points.fitting.prefill, (Numbers{128, 512}));
  EXPECT_EQ(points.fitting.depths, (Numbers{0, 4096}));
  EXPECT_EQ(points.fitting.decode_tokens, 32);
  EXPECT_EQ(points.fitting.repeat, 3);
  EXPECT_TRUE(points.left_out.prefill.empty());
  EXPECT_TRUE(points.left_out.depths.empty());
}

TEST(SpeedPoints, BeyondTheContextAreLeftOut) {
  const auto points = points_within({{100, 101}, {68, 69}, 32, 1}, 100);
  EXPECT_EQ(points.fitting.prefill, Numbers{100});
  EXPECT_EQ(points.fitting.depths, Numbers{68});
  EXPECT_EQ(points.left_out.prefill, Numbers{101});
  EXPECT_EQ(points.left_out.depths, Numbers{69});
  EXPECT_EQ(points.fitting.context(), 100);
}

TEST(SpeedPoints, MoreTokensThanTheContextLeaveNoDepth) {
  const auto points = points_within({{1}, {0}, 200, 1}, 100);
  EXPECT_TRUE(points.fitting.depths.empty());
  EXPECT_EQ(points.left_out.depths, Numbers{0});
}

TEST(Median, IsTheMiddleOrBetweenTheTwo) {
  EXPECT_EQ(median({3}), 3);
  EXPECT_EQ(median({9, 1, 2}), 2);
  EXPECT_EQ(median({4, 1, 9, 2}), 3);
}

}  // namespace
}  // namespace minke
