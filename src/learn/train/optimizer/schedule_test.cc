#include "learn/train/optimizer/schedule.h"

#include <gtest/gtest.h>

namespace minke {
namespace {

TEST(Schedule, ConstantWarmsUpAndStays) {
  const Schedule s = {.kind = ScheduleKind::kConstant, .peak = 8, .warmup_steps = 4, .steps = 10};
  EXPECT_EQ(s.learning_rate(1), 2);
  EXPECT_EQ(s.learning_rate(3), 6);
  EXPECT_EQ(s.learning_rate(4), 8);
  EXPECT_EQ(s.learning_rate(10), 8);
  EXPECT_EQ(s.learning_rate(1000), 8);
}

TEST(Schedule, WsdDecaysOverItsLastStepsOnly) {
  Schedule s = {.kind = ScheduleKind::kWsd,
                .peak = 16,
                .warmup_steps = 2,
                .steps = 20,
                .decay_fraction = 0.2};
  EXPECT_EQ(s.learning_rate(1), 8);
  EXPECT_EQ(s.learning_rate(2), 16);
  EXPECT_EQ(s.learning_rate(16), 16);
  EXPECT_EQ(s.learning_rate(17), 12);
  EXPECT_EQ(s.learning_rate(18), 8);
  EXPECT_EQ(s.learning_rate(20), 0);
  s.floor = 0.5;
  EXPECT_EQ(s.learning_rate(18), 12);
  EXPECT_EQ(s.learning_rate(20), 8);
  EXPECT_EQ(s.learning_rate(21), 8);
}

TEST(Schedule, OneMinusSqrtFallsFastFirst) {
  const Schedule s = {.kind = ScheduleKind::kWsd,
                      .peak = 16,
                      .steps = 8,
                      .decay_fraction = 0.5,
                      .decay = DecayShape::kOneMinusSqrt};
  EXPECT_EQ(s.learning_rate(4), 16);
  EXPECT_EQ(s.learning_rate(5), 8);  // a quarter of the way: half is gone
  EXPECT_EQ(s.learning_rate(8), 0);
}

TEST(Schedule, CosineGoesFromThePeakToTheFloor) {
  const Schedule s = {
      .kind = ScheduleKind::kCosine, .peak = 10, .warmup_steps = 2, .steps = 14, .floor = 0.1};
  EXPECT_EQ(s.learning_rate(2), 10);
  EXPECT_NEAR(s.learning_rate(6), 10 * (0.1 + 0.9 * 0.75), 1e-12);  // cos(pi / 3) = 1/2
  EXPECT_NEAR(s.learning_rate(8), 5.5, 1e-12);
  EXPECT_NEAR(s.learning_rate(14), 1, 1e-12);
}

TEST(Schedule, WarmUpThatReachesIntoTheDecayDoesNotJump) {
  const Schedule s = {.kind = ScheduleKind::kWsd,
                      .peak = 1,
                      .warmup_steps = 10,
                      .steps = 10,
                      .decay_fraction = 0.5};
  EXPECT_EQ(s.learning_rate(5), 0.5);
  EXPECT_EQ(s.learning_rate(8), 0.4);
  EXPECT_EQ(s.learning_rate(10), 0);
}

TEST(Schedule, OneStepIsEnough) {
  const Schedule s = {.kind = ScheduleKind::kConstant, .peak = 3, .steps = 1};
  EXPECT_EQ(s.learning_rate(1), 3);
}

}  // namespace
}  // namespace minke
