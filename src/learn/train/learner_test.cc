#include "learn/train/learner.h"

#include <fstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/core/mapped_file.h"
#include "learn/train/train_testing.h"
#include "model/families/bundle.h"

namespace minke {
namespace {

namespace fs = std::filesystem;
using testing::expect_done;
using testing::TinyRuns;

// As the folders of Qwen2 and Qwen3 are.
TEST(Learner, ATokenizerNeedsNoBos) {
  const TinyRuns runs;
  const fs::path folder = runs.run("tokenizer");
  auto config = nlohmann::json::parse(read_text_file(folder / "tokenizer_config.json"));
  config["bos_token"] = nullptr;
  config["add_bos_token"] = false;
  config.erase("chat_template");
  std::ofstream(folder / "tokenizer_config.json") << config.dump();
  auto tokenizer = nlohmann::json::parse(read_text_file(folder / "tokenizer.json"));
  tokenizer["post_processor"] = nullptr;
  std::ofstream(folder / "tokenizer.json") << tokenizer.dump();

  expect_done(runs.recipe("nobos", 1, ""));
  const Bundle bundle = load_bundle(runs.run("nobos") / "model");
  EXPECT_FALSE(bundle.require_tokenizer().bos());
}

TEST(Learner, AChatFormatOfItsOwnFileGoesWithTheModel) {
  const TinyRuns runs;
  const fs::path folder = runs.run("tokenizer");
  auto config = nlohmann::json::parse(read_text_file(folder / "tokenizer_config.json"));
  const std::string jinja = config.at("chat_template");
  config["chat_template"] = "what the other file says goes before this";
  std::ofstream(folder / "tokenizer_config.json") << config.dump();
  std::ofstream(folder / "chat_template.jinja") << jinja;

  expect_done(runs.recipe("jinja", 1, ""));
  const Bundle bundle = load_bundle(runs.run("jinja") / "model");
  EXPECT_EQ(bundle.require_tokenizer().spec().chat_template, jinja);
}

TEST(Learner, TheFilesOfAModelGoWithTheOneThatIsTrainedFurther) {
  const TinyRuns runs;
  expect_done(runs.recipe("base", 1, ""));
  const fs::path base = runs.run("base") / "model";
  std::ofstream(base / "generation_config.json") << R"({"temperature": 0.6})";
  std::ofstream(base / "LICENSE") << "free";
  expect_done(runs.further("tuned", "base", ""));
  for (const char* name : {"generation_config.json", "LICENSE"}) {
    ASSERT_TRUE(fs::exists(runs.run("tuned") / "model" / name)) << name;
    EXPECT_EQ(read_text_file(runs.run("tuned") / "model" / name), read_text_file(base / name));
  }
  // The defaults name ids of their tokenizer.
  expect_done(
      runs.further("other", "base",
                   fmt::format("[tokenizer]\npath = \"{}\"\n", runs.run("tokenizer").string())));
  EXPECT_FALSE(fs::exists(runs.run("other") / "model/generation_config.json"));
}

}  // namespace
}  // namespace minke
