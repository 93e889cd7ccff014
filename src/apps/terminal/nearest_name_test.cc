#include "apps/terminal/nearest_name.h"

#include <vector>

#include <gtest/gtest.h>

namespace minke {
namespace {

TEST(NearestName, DistanceCountsWhatFingersDo) {
  EXPECT_EQ(typing_distance("", ""), 0u);
  EXPECT_EQ(typing_distance("", "run"), 3u);
  EXPECT_EQ(typing_distance("serve", "serve"), 0u);
  EXPECT_EQ(typing_distance("sevre", "serve"), 1u);
  EXPECT_EQ(typing_distance("srve", "serve"), 1u);
  EXPECT_EQ(typing_distance("servve", "serve"), 1u);
  EXPECT_EQ(typing_distance("derve", "serve"), 1u);
  EXPECT_EQ(typing_distance("kitten", "sitting"), 3u);
}

TEST(NearestName, IsTheOneThatWasMeantOrNone) {
  const std::vector<std::string> names = {"run", "chat", "serve", "quantize", "grpo"};
  EXPECT_EQ(nearest_name("sevre", names), "serve");
  EXPECT_EQ(nearest_name("quantise", names), "quantize");
  EXPECT_EQ(nearest_name("rnu", names), "run");
  EXPECT_EQ(nearest_name("gpro", names), "grpo");
  EXPECT_EQ(nearest_name("chart", names), "chat");
  EXPECT_EQ(nearest_name("dance", names), "");
  EXPECT_EQ(nearest_name("", names), "");
  EXPECT_EQ(nearest_name("run", {}), "");
}

}  // namespace
}  // namespace minke
