#include "apps/arguments/options.h"

#include <limits>

#include <gtest/gtest.h>

namespace minke {
namespace {

constexpr SamplingFallback kFallback = {.temperature = 0.6, .top_p = 0.95};
constexpr auto kMost = std::numeric_limits<int64_t>::max();

TEST(Options, IntegersAreWholeAndInRange) {
  EXPECT_EQ(parse_integer("-n", "0", 0, 5), 0);
  EXPECT_EQ(parse_integer("-n", "-7", -7, 5), -7);
  EXPECT_EQ(parse_integer("-n", "9223372036854775807", 0, kMost), kMost);
  for (const char* text : {"", " 1", "1 ", "+1", "1.0", "1e3", "0x1", "9223372036854775808", "6"}) {
    EXPECT_THROW(parse_integer("-n", text, 0, 5), CLI::ValidationError) << text;
  }
}

TEST(Options, NumbersAreFiniteAndInRange) {
  EXPECT_EQ(parse_number("--temp", "0", 0, 1), 0);
  EXPECT_EQ(parse_number("--temp", "1e-1", 0, 1), 0.1);
  for (const char* text : {"", "nan", "inf", "-0.1", "1.1", "0,5", "0.5x", "1e400"}) {
    EXPECT_THROW(parse_number("--temp", text, 0, 1), CLI::ValidationError) << text;
  }
}

TEST(Options, MessagesNameTheOptionAndWhatWasFound) {
  try {
    parse_integer("--threads", "a\nb", 1, 8);
    FAIL();
  } catch (const CLI::ValidationError& error) {
    EXPECT_STREQ(error.what(), "--threads: expected a whole number from 1 to 8, found \"a\\x0ab\"");
  }
}

TEST(Sampling, TheUserThenThePublisherThenTheFallback) {
  GenerationDefaults publisher;
  SamplingFlags user;
  EXPECT_FLOAT_EQ(chosen_sampling(user, publisher, kFallback).temperature, 0.6f);
  EXPECT_FLOAT_EQ(chosen_sampling(user, publisher, kFallback).top_p, 0.95f);
  publisher.temperature = 0.8;
  publisher.top_p = 0.7;
  publisher.top_k = 40;
  SamplingOptions chosen = chosen_sampling(user, publisher, kFallback);
  EXPECT_FLOAT_EQ(chosen.temperature, 0.8f);
  EXPECT_FLOAT_EQ(chosen.top_p, 0.7f);
  EXPECT_EQ(chosen.top_k, 40);
  user.temperature = 1.5;
  user.top_p = 1;
  user.top_k = 0;
  user.min_p = 0.1;
  user.seed = 7;
  chosen = chosen_sampling(user, publisher, kFallback);
  EXPECT_FLOAT_EQ(chosen.temperature, 1.5f);
  EXPECT_FLOAT_EQ(chosen.top_p, 1);
  EXPECT_EQ(chosen.top_k, 0);
  EXPECT_FLOAT_EQ(chosen.min_p, 0.1f);
  EXPECT_EQ(chosen.seed, 7u);
}

TEST(Sampling, TheUserMayAlwaysAskForTheLikeliestToken) {
  GenerationDefaults publisher;
  publisher.temperature = 0.8;
  SamplingFlags user;
  user.temperature = 0;
  EXPECT_EQ(chosen_sampling(user, publisher, kFallback).temperature, 0);
}

TEST(Sampling, WithoutASeedTwoChatsDiffer) {
  const SamplingFlags user;
  EXPECT_NE(chosen_sampling(user, {}, kFallback).seed, chosen_sampling(user, {}, kFallback).seed);
}

TEST(Sampling, APublishersNonsenseIsAnError) {
  GenerationDefaults publisher;
  publisher.temperature = -1;
  EXPECT_THROW(chosen_sampling({}, publisher, kFallback), Error);
  publisher.temperature = 1;
  publisher.top_k = -1;
  EXPECT_THROW(chosen_sampling({}, publisher, kFallback), Error);
  publisher.top_k = int64_t{1} << 40;
  EXPECT_THROW(chosen_sampling({}, publisher, kFallback), Error);
}

}  // namespace
}  // namespace minke
