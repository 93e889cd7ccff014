#include "apps/about.h"

#include <string>

#include <gtest/gtest.h>

#include "base/core/test_folder.h"
#include "base/core/utf8.h"

namespace minke {
namespace {

TEST(About, BytesHaveTwoDigitsOrMore) {
  EXPECT_EQ(human_bytes(0), "0 B");
  EXPECT_EQ(human_bytes(1023), "1023 B");
  EXPECT_EQ(human_bytes(1024), "1.0 KiB");
  EXPECT_EQ(human_bytes(96 << 20), "96 MiB");
  EXPECT_EQ(human_bytes(int64_t{3} << 29), "1.5 GiB");
  EXPECT_EQ(human_bytes(int64_t{5000} << 40), "5000 TiB");
}

TEST(About, Counts) {
  EXPECT_EQ(human_count(300), "300");
  EXPECT_EQ(human_count(61'500), "61.5 k");
  EXPECT_EQ(human_count(134'515'008), "134.5 M");
  EXPECT_EQ(human_count(671'026'404'352), "671.0 B");
}

TEST(About, Numbers) {
  EXPECT_EQ(human_number(0.0123456), "0.0123");
  EXPECT_EQ(human_number(12.34), "12.3");
  EXPECT_EQ(human_number(1234.5), "1234");
}

TEST(About, ModelsAreCalledAsTheirFiles) {
  EXPECT_EQ(model_name("/models/SmolLM2-135M-Instruct.Q4_1.gguf"), "SmolLM2-135M-Instruct.Q4_1");
  EXPECT_EQ(model_name("/models/DeepSeek-V2-Lite"), "DeepSeek-V2-Lite");
  EXPECT_EQ(model_name("/models/DeepSeek-V2-Lite/"), "DeepSeek-V2-Lite");
  EXPECT_EQ(model_name("/models/R1.5/."), "R1.5");
  EXPECT_EQ(model_name("/models/a\x1b[2J.gguf"), "a\\x1b[2J");
}

namespace fs = std::filesystem;
using testing::TempFolder;

Metadata described(const MetaValue& value) {
  Metadata metadata("test");
  metadata.set("general.description", value);
  return metadata;
}

class ModelCard : public ::testing::Test {
 protected:
  std::string of_file() const { return model_card(metadata_, model_); }

  TempFolder folder_;
  fs::path model_ = folder_.file("whale.Q8_0.gguf", "GGUF");
  Metadata metadata_ = described(std::string("from the file"));
};

TEST_F(ModelCard, TheNearestSourceCounts) {
  EXPECT_EQ(model_card(Metadata("test"), model_), "");
  EXPECT_EQ(of_file(), "from the file");
  folder_.file("README.md", "from the folder");
  EXPECT_EQ(of_file(), "from the folder");
  folder_.file("whale.Q8_0.md", "from beside it");
  EXPECT_EQ(of_file(), "from beside it");
}

TEST_F(ModelCard, OfAFolder) {
  folder_.file("README.md", "# Whale\n");
  EXPECT_EQ(model_card(Metadata("test"), folder_.path()), "# Whale\n");
  EXPECT_EQ(model_card(Metadata("test"), folder_.path() / ""), "# Whale\n");
}

TEST_F(ModelCard, OfAFileNamedWithoutAFolder) {
  const fs::path before = fs::current_path();
  fs::current_path(folder_.path());
  folder_.file("README.md", "here");
  const std::string card = model_card(metadata_, "whale.Q8_0.gguf");
  fs::current_path(before);
  EXPECT_EQ(card, "here");
}

TEST_F(ModelCard, FrontMatterIsLeftOut) {
  folder_.file("README.md", "---\nlicense: mit\n---\n# Whale\n");
  EXPECT_EQ(of_file(), "# Whale\n");
  folder_.file("README.md", "---\nno end\n");
  EXPECT_EQ(of_file(), "---\nno end\n");
  folder_.file("README.md", "---\nlicense: mit\n---\n\n");
  EXPECT_EQ(of_file(), "from the file");
}

TEST_F(ModelCard, IsBoundedAndValid) {
  std::string whales = "x";  // so that the limit lies within a whale
  while (whales.size() < 2 * kModelCardBytes) whales += "\U0001F40B";
  folder_.file("README.md", whales);
  EXPECT_EQ(of_file().size(), kModelCardBytes - 3);
  EXPECT_TRUE(utf8_valid(of_file()));
  folder_.file("README.md", std::string(2 * kModelCardBytes, '\xff'));
  EXPECT_EQ(of_file().size(), kModelCardBytes - kModelCardBytes % 3);
  EXPECT_TRUE(utf8_valid(of_file()));
  fs::remove(folder_ / "README.md");
  metadata_ = described(std::string(2 * kModelCardBytes, 'x'));
  EXPECT_EQ(of_file().size(), kModelCardBytes);
}

TEST_F(ModelCard, WhatCannotBeReadIsNoCard) {
  fs::create_directory(folder_ / "README.md");
  EXPECT_EQ(of_file(), "from the file");
  metadata_ = described(int64_t{7});
  EXPECT_EQ(of_file(), "");
}

}  // namespace
}  // namespace minke
