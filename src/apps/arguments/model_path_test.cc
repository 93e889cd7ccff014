#include "apps/arguments/model_path.h"

#include <fstream>

#include <gtest/gtest.h>

#include "base/core/error.h"

namespace minke {
namespace {

namespace fs = std::filesystem;

class ModelPath : public testing::Test {
 protected:
  void SetUp() override {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::path(testing::TempDir()) / (std::string("minke-") + test->name());
    fs::create_directories(folder_ / "models" / "folder");
    std::ofstream(folder_ / "models" / "whale.gguf") << "x";
    std::ofstream(folder_ / "beside.gguf") << "x";
  }
  void TearDown() override { fs::remove_all(folder_); }

  fs::path models() const { return folder_ / "models"; }

  fs::path folder_;
};

TEST_F(ModelPath, PathsAreTakenAsTheyAre) {
  const std::string path = (folder_ / "beside.gguf").string();
  EXPECT_EQ(find_model(path, models()), path);
  EXPECT_EQ(find_model(path, std::nullopt), path);
}

TEST_F(ModelPath, NamesAreLookedUpWithAndWithoutEnding) {
  EXPECT_EQ(find_model("whale", models()), models() / "whale.gguf");
  EXPECT_EQ(find_model("whale.gguf", models()), models() / "whale.gguf");
  EXPECT_EQ(find_model("folder", models()), models() / "folder");
}

TEST_F(ModelPath, NamesDoNotLeadOutOfTheFolder) {
  EXPECT_THROW(find_model("../beside", models()), Error);
  EXPECT_THROW(find_model("../beside.gguf", models()), Error);
}

TEST_F(ModelPath, TheMessageSaysWhereWasLooked) {
  try {
    find_model("dolphin", models());
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find(models().string()), std::string::npos);
    EXPECT_NE(std::string(error.what()).find("dolphin.gguf"), std::string::npos);
  }
  EXPECT_THROW(find_model("", models()), Error);
  EXPECT_THROW(find_model("dolphin", std::nullopt), Error);
}

}  // namespace
}  // namespace minke
