#include "learn/rl/grpo.h"

#include <cmath>

#include <gtest/gtest.h>

#include "base/core/mapped_file.h"
#include "learn/train/run_store.h"
#include "learn/train/train_testing.h"

namespace minke {
namespace {

namespace fs = std::filesystem;
using testing::error_of;
using testing::Recorder;
using testing::TinyRuns;

class GrpoTest : public ::testing::Test {
 protected:
  // A model that knows nothing yet: it ends a reply by chance.
  void SetUp() override {
    Recorder recorder;
    ASSERT_EQ(
        train(runs_.recipe("start", 1, "[optimizer]\nlearning_rate = 0.0\n"), options(), recorder),
        TrainingEnd::kDone);
  }

  static TrainerOptions options() {
    TrainerOptions o;
    o.isa = chosen_isa();
    return o;
  }
  // Short replies earn more: what a model without knowledge can learn.
  fs::path recipe(const std::string& name, int steps, const std::string& grpo,
                  const std::string& more = "", int threads = 2) const {
    return runs_.folder().file(
        name + ".toml",
        fmt::format("[model]\nfrom = \"{}\"\n[data]\ntasks = [\"sums\"]\nlanguages = [\"en\"]\n"
                    "context = 256\nbatch_tokens = 256\nmicro_batch_tokens = 256\n[schedule]\n"
                    "steps = {}\n[optimizer]\nkind = \"adamw\"\nlearning_rate = 0.003\n"
                    "weight_decay = 0.0\n[rewards]\naccuracy = 0.0\nlength = 1.0\n[run]\noutput = "
                    "\"{}\"\nthreads = {}\n{}[grpo]\nprompts = 4\ngroup = 8\nreply_tokens = 24\n"
                    "slots = 16\nmask_cut = false\nrefill = 2\n{}",
                    (runs_.run("start") / "model").string(), steps, runs_.run(name).string(),
                    threads, more, grpo));
  }
  static std::vector<std::string> bits_of(const fs::path& run) {
    const auto last =
        latest_checkpoint(run, [](const std::string& text) { ADD_FAILURE() << text; });
    return {read_text_file(last->folder / "weights.safetensors"),
            read_text_file(last->folder / "optimizer.safetensors"), last->state.cursor,
            read_text_file(run / "model/model.safetensors")};
  }

  TinyRuns runs_;
};

TEST_F(GrpoTest, WhatIsRewardedIsLearned) {
  for (const char* precision : {"f32", "bf16"}) {
    SCOPED_TRACE(precision);
    Recorder recorder;
    const auto path =
        recipe(std::string("short-") + precision, 40, "",
               fmt::format("[precision]\ntype = \"{}\"\n[evaluation]\nevery = 20\nproblems = 6\n",
                           precision));
    ASSERT_EQ(grpo(path, options(), recorder), TrainingEnd::kDone);
    ASSERT_EQ(recorder.steps.size(), 40u);
    double first = 0, last = 0;
    for (size_t i = 0; i < 8; ++i) {
      first += recorder.steps[i].values.at("reward") / 8;
      last += recorder.steps[32 + i].values.at("reward") / 8;
    }
    EXPECT_LT(first, -0.8);
    EXPECT_GT(last, first + 0.4);
    for (const StepRecord& step : recorder.steps) {
      // Trainer and engine agree to the bit.
      EXPECT_EQ(step.values.at("log_probability_difference"), 0) << step.step;
      EXPECT_LE(step.values.at("asked"), 8);
      EXPECT_GT(step.values.at("entropy"), 0);
    }
    EXPECT_EQ(recorder.evaluations.size(), 3u);
    EXPECT_EQ(recorder.evaluations[0].values.at("accuracy"), 0);
  }
}

TEST_F(GrpoTest, InterruptionsAndThreadsLeaveTheSameBits) {
  const std::string settings = "updates = 2\nkl = 0.01\neasy_share = 0.5\n";
  Recorder whole;
  ASSERT_EQ(grpo(recipe("whole", 6, settings), options(), whole), TrainingEnd::kDone);
  const auto expected = bits_of(runs_.run("whole"));
  for (const int threads : {1, 2}) {
    const std::string name = fmt::format("parts{}", threads);
    const auto path = recipe(name, 6, settings, "", threads);
    for (const int64_t stop : {1, 3, 4}) {
      Recorder part(stop);
      ASSERT_EQ(grpo(path, options(), part), TrainingEnd::kStopped);
    }
    Recorder rest;
    ASSERT_EQ(grpo(path, options(), rest), TrainingEnd::kDone);
    const auto found = bits_of(runs_.run(name));
    for (size_t i = 0; i < expected.size(); ++i) EXPECT_TRUE(found[i] == expected[i]) << i;
    const RunRecords log = read_run_log(runs_.run(name) / "log.jsonl");
    ASSERT_EQ(log.steps.size(), 6u);
    for (size_t i = 0; i < 6; ++i) {
      EXPECT_EQ(log.steps[i].values.at("reward"), whole.steps[i].values.at("reward"));
      EXPECT_TRUE(log.steps[i].values.contains("kl"));
    }
  }
}

// With several updates the later ones see other weights: ratios leave 1, and far ones are clipped.
TEST_F(GrpoTest, LaterUpdatesAreClipped) {
  Recorder recorder;
  const auto path = recipe("clipped", 12, "updates = 4\nclip_low = 0.01\nclip_high = 0.01\n", "");
  ASSERT_EQ(grpo(path, options(), recorder), TrainingEnd::kDone);
  double clipped = 0;
  for (const StepRecord& step : recorder.steps) {
    const auto share = step.values.find("clipped");
    if (share != step.values.end()) clipped = std::max(clipped, share->second);
  }
  EXPECT_GT(clipped, 0.01);
}

// Every published variant, an adapter, and an adapter beside a first model run, check themselves
// against the engine, and change the weights.
TEST_F(GrpoTest, VariantsRun) {
  const std::string start = read_text_file(runs_.run("start") / "model/model.safetensors");
  int number = 0;
  for (const auto& [grpo_fields, sections] : std::vector<std::pair<std::string, std::string>>{
           {"advantage = \"mean-and-deviation\"\nnormalizer = \"reply\"\nkl = 0.04\n", ""},
           {"advantage = \"mean-and-deviation\"\nnormalizer = \"tokens\"\nupdates = 4\n", ""},
           {"easy_share = 0.0\n", "[precision]\ntype = \"f32\"\n"},
           {"", "[lora]\nrank = 4\n"},
           {"kl = 0.1\nupdates = 2\n", "[lora]\nrank = 4\n"}}) {
    SCOPED_TRACE(grpo_fields + sections);
    const std::string name = fmt::format("variant{}", number++);
    Recorder recorder;
    ASSERT_EQ(grpo(recipe(name, 4, grpo_fields, sections), options(), recorder),
              TrainingEnd::kDone);
    double moved = 0;
    for (const StepRecord& step : recorder.steps) {
      EXPECT_EQ(step.values.at("log_probability_difference"), 0);
      moved += step.gradient_norm;
    }
    EXPECT_GT(moved, 0);
    if (sections.find("lora") == std::string::npos) {
      EXPECT_NE(read_text_file(runs_.run(name) / "model/model.safetensors"), start);
    } else {
      EXPECT_TRUE(fs::exists(runs_.run(name) / "adapter/adapter_model.safetensors"));
    }
  }
}

TEST_F(GrpoTest, QuestionsOfAFileMustStayThoseOfTheRun) {
  const std::string line = "{\"question\":\"1 + 1?\",\"answer\":\"2\",\"checker\":\"integer\"}\n";
  const auto questions = runs_.folder().file("q.jsonl", line + line);
  std::string text =
      read_text_file(recipe("file", 3, fmt::format("questions = \"{}\"\n", questions.string())));
  text.replace(text.find("tasks = [\"sums\"]"), 16, "");
  const auto path = runs_.folder().file("file.toml", text);
  Recorder part(1);
  ASSERT_EQ(grpo(path, options(), part), TrainingEnd::kStopped);
  runs_.folder().file("q.jsonl", line);
  Recorder other;
  EXPECT_NE(error_of([&] { grpo(path, options(), other); }).find("expected the questions that"),
            std::string::npos);
  runs_.folder().file("q.jsonl", line + line);
  Recorder rest;
  EXPECT_EQ(grpo(path, options(), rest), TrainingEnd::kDone);
  // One that leaves no room for a reply is told before the run has a folder.
  const std::string many(2000, 'a');
  runs_.folder().file("q.jsonl",
                      "{\"question\":\"" + many + "\",\"answer\":\"2\",\"checker\":\"integer\"}\n");
  TrainerOptions elsewhere = options();
  elsewhere.output = runs_.run("elsewhere");
  EXPECT_NE(error_of([&] { grpo(path, elsewhere, other); }).find("of grpo.reply_tokens), found"),
            std::string::npos);
  EXPECT_FALSE(fs::exists(runs_.run("elsewhere")));
}

// Stops when it has been asked so many times: in the middle of an evaluation or of a step.
class Impatient : public Recorder {
 public:
  explicit Impatient(int answers) : answers_(answers) {}
  bool go_on() override { return answers_-- > 0; }

 private:
  int answers_;
};

TEST_F(GrpoTest, StoppedAnywhereItGoesOnToTheSameLog) {
  const std::string evaluation = "[evaluation]\nevery = 2\nproblems = 3\n";
  Recorder whole;
  ASSERT_EQ(grpo(recipe("calm", 4, "", evaluation), options(), whole), TrainingEnd::kDone);
  const auto path = recipe("stopped", 4, "", evaluation);
  int sittings = 0;
  for (TrainingEnd end = TrainingEnd::kStopped; end != TrainingEnd::kDone; ++sittings) {
    ASSERT_LT(sittings, 200);
    Impatient observer(20 + 13 * sittings);
    end = grpo(path, options(), observer);
  }
  EXPECT_GT(sittings, 3);
  EXPECT_EQ(bits_of(runs_.run("stopped")), bits_of(runs_.run("calm")));
  const RunRecords log = read_run_log(runs_.run("stopped") / "log.jsonl");
  ASSERT_EQ(log.evaluations.size(), whole.evaluations.size());
  for (size_t i = 0; i < log.evaluations.size(); ++i) {
    EXPECT_EQ(log.evaluations[i].step, whole.evaluations[i].step);
    EXPECT_EQ(log.evaluations[i].values, whole.evaluations[i].values);
  }
}

TEST_F(GrpoTest, RewardsThatAreEqualTeachNothing) {
  Recorder recorder;
  // No reply of such a model is right.
  std::string text = read_text_file(recipe("none", 2, ""));
  text.replace(text.find("accuracy = 0.0\nlength = 1.0"), 27, "accuracy = 1.0\nlength = 0.0");
  const auto path = runs_.folder().file("quiet.toml", text);
  ASSERT_EQ(grpo(path, options(), recorder), TrainingEnd::kDone);
  for (const StepRecord& step : recorder.steps) {
    EXPECT_EQ(step.values.at("no_signal"), 1);
    EXPECT_EQ(step.values.at("asked"), 8);  // the refill looked for others
    EXPECT_EQ(step.tokens, 0);
    EXPECT_EQ(step.gradient_norm, 0);
    EXPECT_EQ(step.values.at("log_probability_difference"), 0);
  }
}

TEST_F(GrpoTest, RecipesThatCannotBeRunAreRefused) {
  Recorder recorder;
  const auto plain = runs_.recipe("plain", 1, "");
  EXPECT_NE(error_of([&] { grpo(plain, options(), recorder); }).find("grpo: expected the section"),
            std::string::npos);
  const auto path = recipe("refused", 1, "");
  EXPECT_NE(error_of([&] { train(path, options(), recorder); }).find("minke grpo"),
            std::string::npos);
  const auto fresh = runs_.recipe("fresh", 1, "[grpo]\nreply_tokens = 24\n");
  EXPECT_NE(error_of([&] { grpo(fresh, options(), recorder); }).find("model.from"),
            std::string::npos);
  EXPECT_FALSE(fs::exists(runs_.run("refused")));
  EXPECT_FALSE(fs::exists(runs_.run("fresh")));
}

}  // namespace
}  // namespace minke
