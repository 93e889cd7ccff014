#include "serve/api/anthropic/thinking_signature.h"

#include <gtest/gtest.h>

namespace minke {
namespace {

constexpr ThinkingSignature::Key kKey = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

TEST(ThinkingSignature, IsSipHashAsItsAuthorsGiveIt) {
  const ThinkingSignature signature(kKey);
  EXPECT_EQ(signature.sign(""), "a3817f04ba25a8e66df67214c7550293");
  EXPECT_EQ(signature.sign(std::string(1, '\0')), "da87c1d86b99af44347659119b22fc45");
  std::string bytes;
  for (char c = 0; c < 15; ++c) bytes += c;
  EXPECT_EQ(signature.sign(bytes), "5493e99933b0a8117e08ec0f97cfc3d9");
}

TEST(ThinkingSignature, FitsItsOwnTextAlone) {
  const ThinkingSignature signature(kKey);
  const std::string text = "The user wants the sum of 2 and 3.";
  std::string signed_text = signature.sign(text);
  EXPECT_TRUE(signature.fits(text, signed_text));
  EXPECT_FALSE(signature.fits(text + ".", signed_text));
  EXPECT_FALSE(signature.fits(text, ""));
  EXPECT_FALSE(signature.fits(text, signed_text + "0"));
  signed_text.back() = signed_text.back() == '0' ? '1' : '0';
  EXPECT_FALSE(signature.fits(text, signed_text));
  auto other = kKey;
  other[15] = 0;
  EXPECT_NE(ThinkingSignature(other).sign(text), signature.sign(text));
}

}  // namespace
}  // namespace minke
