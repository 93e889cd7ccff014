#include "apps/model_card.h"

#include <string>

#include <gtest/gtest.h>

#include "base/core/test_folder.h"
#include "base/core/utf8.h"

namespace minke {
namespace {

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
