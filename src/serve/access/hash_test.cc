#include "serve/access/hash.h"

#include <gtest/gtest.h>

#include "serve/access/clock.h"

namespace minke {
namespace {

// FIPS 180-4, examples of the standard.
TEST(Hash, IsThatOfTheStandard) {
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_TRUE(is_sha256_hex(sha256_hex("abc")));
}

TEST(Hash, OnlyItsDigitsAreOne) {
  EXPECT_FALSE(is_sha256_hex(""));
  EXPECT_FALSE(is_sha256_hex(std::string(63, 'a')));
  EXPECT_FALSE(is_sha256_hex(std::string(64, 'A')));
  EXPECT_FALSE(is_sha256_hex(std::string(64, 'g')));
}

TEST(Hash, ComparesWholeTexts) {
  EXPECT_TRUE(equal_in_constant_time("", ""));
  EXPECT_TRUE(equal_in_constant_time("abc", "abc"));
  EXPECT_FALSE(equal_in_constant_time("abc", "abd"));
  EXPECT_FALSE(equal_in_constant_time("abc", "ab"));
}

TEST(Hash, RandomDigitsAreNotTheSameTwice) {
  EXPECT_EQ(random_hex(32).size(), 64u);
  EXPECT_NE(random_hex(32), random_hex(32));
}

TEST(Clock, WritesTimesAsUtc) {
  EXPECT_EQ(utc_time(0), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(utc_time(951782400.125), "2000-02-29T00:00:00.125Z");
  EXPECT_EQ(utc_time(951782399.9996), "2000-02-29T00:00:00.000Z");
  EXPECT_EQ(utc_time(-5), "1970-01-01T00:00:00.000Z");
}

}  // namespace
}  // namespace minke
