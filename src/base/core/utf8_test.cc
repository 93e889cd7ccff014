#include "base/core/utf8.h"

#include <string>

#include <gtest/gtest.h>

#include "base/core/error.h"

namespace minke {
namespace {

TEST(Utf8, AcceptsEveryLengthAndRejectsOverlongAndSurrogates) {
  EXPECT_EQ(utf8_sequence_length("a"), 1u);
  EXPECT_EQ(utf8_sequence_length("\xc3\xbc"), 2u);
  EXPECT_EQ(utf8_sequence_length("\xe6\xaf\x95"), 3u);
  EXPECT_EQ(utf8_sequence_length("\xf0\x9f\x90\xb3"), 4u);
  EXPECT_EQ(utf8_sequence_length("\xc0\x80"), 0u);
  EXPECT_EQ(utf8_sequence_length("\xe0\x9f\xbf"), 0u);
  EXPECT_EQ(utf8_sequence_length("\xed\xa0\x80"), 0u);
  EXPECT_EQ(utf8_sequence_length("\xf4\x90\x80\x80"), 0u);
  EXPECT_EQ(utf8_sequence_length(""), 0u);
}

TEST(Utf8, CompletePrefixHoldsBackOnlyAnUnfinishedSequence) {
  const std::string whale = "a\xf0\x9f\x90\xb3";
  EXPECT_EQ(utf8_complete_prefix(whale), 5u);
  EXPECT_EQ(utf8_complete_prefix(whale.substr(0, 4)), 1u);
  EXPECT_EQ(utf8_complete_prefix(whale.substr(0, 2)), 1u);
  EXPECT_EQ(utf8_complete_prefix("a\xff"), 2u);
  EXPECT_EQ(utf8_complete_prefix("a\x80\x80\x80\x80"), 5u);
  EXPECT_EQ(utf8_complete_prefix("\xe6\x41"), 2u);
  EXPECT_EQ(utf8_complete_prefix(""), 0u);
}

TEST(Utf8, SanitizedReplacesEachMaximalInvalidPrefixOnce) {
  EXPECT_EQ(utf8_sanitized("ok"), "ok");
  EXPECT_EQ(utf8_sanitized("\xe6\xaf"
                           "a"),
            "\xef\xbf\xbd"
            "a");
  EXPECT_EQ(utf8_sanitized("\xff\xff"), "\xef\xbf\xbd\xef\xbf\xbd");
}

TEST(Utf8, DecodeInvertsAppendForEveryCodePoint) {
  for (char32_t c = 0; c < 0x110000; ++c) {
    if (c >= 0xd800 && c < 0xe000) continue;
    std::string text;
    utf8_append(text, c);
    ASSERT_EQ(utf8_sequence_length(text), text.size());
    ASSERT_EQ(utf8_decode(text), c);
  }
}

TEST(Utf8, TheFirstInvalidByteIsNamed) {
  const auto error_of = [](std::string_view text) {
    try {
      require_utf8(text, "--prompt");
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("none");
  };
  EXPECT_EQ(error_of(""), "none");
  EXPECT_EQ(error_of("gr\u00fc\u00df \U0001f600"), "none");
  EXPECT_EQ(error_of("\u00fc\xff\xfe"),
            "--prompt: expected UTF-8 text, found byte 0xff at offset 2");
  EXPECT_EQ(error_of("ab\xc3"), "--prompt: expected UTF-8 text, found byte 0xc3 at offset 2");
  EXPECT_EQ(error_of("\xed\xa0\x80"), "--prompt: expected UTF-8 text, found byte 0xed at offset 0");
}

}  // namespace
}  // namespace minke
