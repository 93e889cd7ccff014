#include "learn/train/run_inputs.h"

#include <fstream>

#include <gtest/gtest.h>

#include "base/core/mapped_file.h"
#include "learn/data/shards.h"
#include "learn/train/train_testing.h"

namespace minke {
namespace {

namespace fs = std::filesystem;
using testing::error_of;
using testing::expect_done;
using testing::Recorder;
using testing::TinyRuns;
using testing::train_with;

TEST(RunInputs, ChangedInputsAreRefused) {
  const TinyRuns runs;
  expect_done(runs.recipe("base", 1, ""));
  const fs::path base = runs.run("base") / "model";
  const auto path = runs.further("inputs", "base", "[checkpoint]\nevery_steps = 1\n", 2);
  Recorder first(1);
  ASSERT_EQ(train_with(path, first), TrainingEnd::kStopped);
  for (const auto& [name, says] : {std::pair{"tokenizer_config.json", "the tokenizer in "},
                                   std::pair{"config.json", "the model in "}}) {
    const std::string before = read_text_file(base / name);
    std::ofstream(base / name) << before << " ";
    Recorder recorder;
    const std::string error = error_of([&] { train_with(path, recorder); });
    EXPECT_NE(error.find(says), std::string::npos) << error;
    EXPECT_NE(error.find("expected what this run began with"), std::string::npos) << error;
    std::ofstream(base / name) << before;
  }
  expect_done(path);
}

void write_shard(const fs::path& path, int32_t id) {
  ShardWriter shard(path, {340 + 7, 0});
  shard.add({.tokens = {0, id, id, 1}, .loss_begin = 0, .loss_end = 4}, "test");
  shard.commit();
}

TEST(RunInputs, AShardIsKnownByItsChecksum) {
  const testing::TempFolder folder;
  Recipe recipe;
  recipe.tokenizer = folder.path().string();
  recipe.stages.emplace_back().data.shards = {(folder / "a.tok").string()};
  recipe.stages.back().data.held_out = {(folder / "b.tok").string()};
  write_shard(folder / "a.tok", 20);
  write_shard(folder / "b.tok", 30);
  const auto before = run_inputs(recipe);
  EXPECT_EQ(before.size(), 3u);
  require_same_inputs(before, run_inputs(recipe));
  require_same_inputs({}, before);  // of a checkpoint that has none
  write_shard(folder / "b.tok", 31);
  const std::string error = error_of([&] { require_same_inputs(before, run_inputs(recipe)); });
  EXPECT_EQ(error.find("the shard " + (folder / "b.tok").string() + ": expected what"), 0u)
      << error;
  folder.file("a.tok", "short");
  EXPECT_THROW(run_inputs(recipe), Error);
}

}  // namespace
}  // namespace minke
