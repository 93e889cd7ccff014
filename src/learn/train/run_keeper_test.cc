#include "learn/train/run_keeper.h"

#include <algorithm>
#include <cstring>

#include <gtest/gtest.h>

#include "base/core/mapped_file.h"
#include "learn/train/train_testing.h"
#include "model/formats/open_checkpoint.h"

namespace minke {
namespace {

namespace fs = std::filesystem;
using testing::Recorder;
using testing::TinyRuns;
using testing::train_with;

// Runs whose held-out loss falls at first and rises then, with a rate that becomes far too high.
class RunKeeperTest : public ::testing::Test {
 protected:
  fs::path recipe(const std::string& name, const std::string& more, double rate = 1.6) const {
    return runs_.recipe(
        name, 8,
        fmt::format("warmup_steps = 8\n[optimizer]\nkind = \"adamw\"\nlearning_rate = {}\n"
                    "weight_decay = 0\n{}",
                    rate, more));
  }
  std::vector<double> losses(const std::string& run) const {
    std::vector<double> all;
    for (const auto& e : read_run_log(runs_.run(run) / "log.jsonl").evaluations) {
      all.push_back(e.values.at("loss"));
    }
    return all;
  }
  std::vector<std::string> checkpoints(const std::string& run) const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(runs_.run(run) / "checkpoints")) {
      names.push_back(entry.path().filename().string());
    }
    std::ranges::sort(names);
    return names;
  }
  std::string model(const std::string& run) const {
    return read_text_file(runs_.run(run) / "model/model.safetensors");
  }

  TinyRuns runs_;
};

TEST_F(RunKeeperTest, ARunEndsWhenNothingGetsBetter) {
  const std::string settings =
      "[evaluation]\nevery = 1\nproblems = 4\npatience = 3\n[precision]\ntype = \"f32\"\n";
  Recorder whole;
  ASSERT_EQ(train_with(recipe("whole", settings), whole), TrainingEnd::kDone);
  const auto measured = losses("whole");
  const auto best = std::ranges::min_element(measured) - measured.begin();
  ASSERT_LT(best + 3, 8) << "this recipe learns to the end";
  ASSERT_EQ(measured.size(), static_cast<size_t>(best) + 4);  // that before the first step is one
  EXPECT_EQ(whole.steps.size(), static_cast<size_t>(best) + 3);
  EXPECT_TRUE(fs::exists(runs_.run("whole") / "model/model.safetensors"));

  // Interruptions change nothing, nor does the command that is given once more.
  const auto path = recipe("parts", settings);
  for (const int64_t stop : {1, 2}) {
    Recorder part(stop);
    ASSERT_EQ(train_with(path, part), TrainingEnd::kStopped);
  }
  Recorder rest, again;
  ASSERT_EQ(train_with(path, rest), TrainingEnd::kDone);
  ASSERT_EQ(train_with(path, again), TrainingEnd::kDone);
  EXPECT_TRUE(again.steps.empty());
  EXPECT_EQ(losses("parts"), measured);
  EXPECT_TRUE(model("parts") == model("whole"));
}

TEST_F(RunKeeperTest, TheBestWeightsOnRequest) {
  const auto with = [&](const std::string& name, const char* choice) {
    const auto path = recipe(name,
                             "[evaluation]\nevery = 2\nproblems = 4\n[precision]\ntype = "
                             "\"f32\"\n[checkpoint]\nkeep = 1\n");
    std::string text = read_text_file(path);
    text.insert(text.find("[run]\n") + 6, fmt::format("model = \"{}\"\n", choice));
    return runs_.folder().file(name + ".toml", text);
  };
  Recorder last, best;
  ASSERT_EQ(train_with(with("last", "last"), last), TrainingEnd::kDone);
  ASSERT_EQ(train_with(with("best", "best"), best), TrainingEnd::kDone);
  const auto measured = losses("best");
  ASSERT_EQ(measured.size(), 5u);
  EXPECT_EQ(losses("last"), measured);
  // Of those behind a step.
  const auto lowest = std::ranges::min_element(measured.begin() + 1, measured.end());
  const int64_t step = 2 * (lowest - measured.begin());
  ASSERT_LT(step, 8) << "this recipe learns to the end";
  EXPECT_EQ(checkpoints("best"),
            (std::vector<std::string>{fmt::format("step-{:08}", step), "step-00000008"}));
  const auto same_as = [&](const std::string& run, int64_t at) {
    Checkpoint weights(Naming::kHuggingFace, Metadata("weights")),
        written(Naming::kHuggingFace, Metadata("written"));
    read_safetensors(
        runs_.run("best") / "checkpoints" / fmt::format("step-{:08}", at) / "weights.safetensors",
        weights);
    read_safetensors(runs_.run(run) / "model/model.safetensors", written);
    bool same = true;
    for (const auto& [name, t] : weights.tensors()) {
      const auto found = written.find(name);
      same &= found && std::memcmp(found->data, t.data, static_cast<size_t>(t.bytes())) == 0;
    }
    return same;
  };
  EXPECT_TRUE(same_as("best", step));
  EXPECT_FALSE(same_as("best", 8));
  EXPECT_TRUE(same_as("last", 8));
  // Done already: the same again.
  const std::string before = model("best");
  Recorder again;
  ASSERT_EQ(train_with(runs_.run("best.toml"), again), TrainingEnd::kDone);
  EXPECT_TRUE(model("best") == before);
}

TEST_F(RunKeeperTest, TheBestIsOneOfTheLastStage) {
  // The first stage is measured by short texts, the second by chats: their losses do not compare.
  const auto path =
      recipe("stages",
             "[evaluation]\nevery = 2\nproblems = 4\n[checkpoint]\nkeep = 1\n[[stage]]\n"
             "schedule.steps = 4\nschedule.warmup_steps = 0\n[[stage]]\nschedule.steps = 4\n"
             "schedule.warmup_steps = 0\ndata.form = \"chat\"\n"
             "optimizer.learning_rate = 0\nrouter.bias_update_speed = 0\n",
             0.01);
  Recorder recorder;
  ASSERT_EQ(train_with(path, recorder), TrainingEnd::kDone);
  const auto measured = losses("stages");
  ASSERT_EQ(measured.size(), 5u);
  // Nothing is learned in the second, so that its first evaluation is the best of it.
  EXPECT_EQ(measured[3], measured[4]);
  EXPECT_EQ(checkpoints("stages"), (std::vector<std::string>{"step-00000006", "step-00000008"}));
}

}  // namespace
}  // namespace minke
