#include "text/tokenizer/pre_tokenizer_name.h"

#include <gtest/gtest.h>

#include "text/tokenizer/golden_testing.h"
#include "text/tokenizer/spec_testing.h"

namespace minke {
namespace {

using Kind = PreTokenizerStage::Kind;

// DeepSeek-V3's stages, but each digit alone.
TokenizerSpec single_digits() {
  TokenizerSpec spec = byte_spec();
  apply_pre_tokenizer("deepseek-v3", spec);
  spec.stages.front() = {Kind::kDigits, {}};
  return spec;
}

std::string name_of(const TokenizerSpec& spec) {
  const auto found = pre_tokenizer_name(spec);
  return found ? found->name : "none";
}

TEST(PreTokenizerName, TheTokenizersOfTheFamiliesHaveTheirNames) {
  for (const golden::Kind& kind : golden::kKinds) {
    const auto found = pre_tokenizer_name(golden::spec(kind.name));
    ASSERT_TRUE(found) << kind.name;
    EXPECT_EQ(found->name, kind.pre_tokenizer);
    EXPECT_EQ(found->difference, "") << kind.name;
  }
}

TEST(PreTokenizerName, ADifferenceInNormalisationIsTold) {
  TokenizerSpec spec = golden::spec("qwen2");
  spec.nfc = false;
  const auto found = pre_tokenizer_name(spec);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->name, "qwen2");
  EXPECT_NE(found->difference.find("NFC"), std::string::npos);
}

TEST(PreTokenizerName, OtherPatternsHaveNone) {
  TokenizerSpec spec = byte_spec();
  spec.stages.push_back({Kind::kPattern, "[a-z]+"});
  EXPECT_EQ(name_of(spec), "none");
}

TEST(PreTokenizerName, SingleDigitsGoByTheNameOfThreeAsLongAsNoMergeJoinsThem) {
  TokenizerSpec spec = single_digits();
  add_merge(spec, "a", "1");  // is in no piece
  add_merge(spec, "\xd9", "\xa1");
  const auto found = pre_tokenizer_name(spec);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->name, "deepseek-v3");
  EXPECT_EQ(found->difference, "");
  add_merge(spec, "1", "2");
  EXPECT_EQ(name_of(spec), "none");
}

TEST(PreTokenizerName, AMergeThatMayJoinOtherNumericCharactersIsTold) {
  for (const auto& [left, right] : {std::pair("\xa1", "\xd9"), std::pair("\xd9\xa1", "\xd9\xa2"),
                                    std::pair("\xd9\xa1", "\xd9"), std::pair("7", "\xd9")}) {
    TokenizerSpec spec = single_digits();
    add_merge(spec, left, right);
    const auto found = pre_tokenizer_name(spec);
    ASSERT_TRUE(found);
    EXPECT_NE(found->difference, "");
  }
}

TEST(PreTokenizerName, UnderThatNameTheIdsAreTheSame) {
  TokenizerSpec own = single_digits(), named = single_digits();
  for (TokenizerSpec* spec : {&own, &named}) {
    add_merge(*spec, "\xd9", "\xa1");
    add_merge(*spec, "a", "b");
  }
  apply_pre_tokenizer(name_of(own), named);
  const Tokenizer before(own), after(named);
  EXPECT_NE(own.stages.front().kind, named.stages.front().kind);
  for (const std::string& line : golden::lines()) {
    ASSERT_EQ(before.encode(line), after.encode(line)) << line;
  }
}

}  // namespace
}  // namespace minke
