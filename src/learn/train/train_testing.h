#pragma once

// What the tests of this folder train.

#include <string>

#include <gtest/gtest.h>

#include "base/core/mapped_file.h"
#include "learn/data/data_testing.h"
#include "learn/train/trainer.h"
#include "model/formats/write_tokenizer.h"

namespace minke::testing {

// The [model] section of recipes.
inline std::string tiny_model() {
  return read_text_file(std::filesystem::path(MINKE_GOLDEN_DIR) / "tiny_training.toml");
}

// A folder with a tokenizer that was trained on problems, and recipes.
class TinyRuns {
 public:
  TinyRuns() {
    std::filesystem::create_directory(folder_ / "tokenizer");
    BpeTrainer trainer(training_stages(), 1 << 20);
    Rng rng(1);
    for (int i = 0; i < 50; ++i) {
      const Problem p = task_named("sums").make(Language::kEnglish, 1, Split::kTrain, rng);
      trainer.add(p.question + "\n" + p.reasoning + "\n" + p.answer);
    }
    write_tokenizer(training_spec(trainer.train(340), "tiny tokenizer"), folder_ / "tokenizer");
  }

  const TempFolder& folder() const { return folder_; }
  std::filesystem::path run(const std::string& name) const { return folder_ / name; }
  // `more` are further sections; `steps` of the schedule.
  std::filesystem::path recipe(const std::string& name, int steps, const std::string& more) const {
    return folder_.file(
        name + ".toml",
        fmt::format("{}[tokenizer]\npath = \"{}\"\n[data]\ntasks = [\"sums\"]\nlanguages = "
                    "[\"en\"]\ncontext = 256\nbatch_tokens = 512\nmicro_batch_tokens = 256\n"
                    "[run]\noutput = \"{}\"\nthreads = {}\n[schedule]\nsteps = {}\n{}",
                    tiny_model(), (folder_ / "tokenizer").string(), run(name).string(), threads,
                    steps, more));
  }

  // A recipe that trains the model of the run `base` further; `more` are further sections.
  std::filesystem::path further(const std::string& name, const std::string& base,
                                const std::string& more, int steps = 1) const {
    return folder_.file(
        name + ".toml",
        fmt::format("model.from = \"{}\"\nrun.output = \"{}\"\n[data]\ntasks = [\"sums\"]\n"
                    "context = 256\nbatch_tokens = 256\nmicro_batch_tokens = 256\n[schedule]\n"
                    "steps = {}\n{}",
                    (run(base) / "model").string(), run(name).string(), steps, more));
  }

  int threads = 2;

 private:
  TempFolder folder_;
};

// Keeps what a run tells, and stops it behind a step.
class Recorder : public TrainingObserver {
 public:
  explicit Recorder(int64_t stop_after = -1) : stop_after_(stop_after) {}

  void begin(const Plan& p) override { plan = p; }
  void step(const StepRecord& record) override { steps.push_back(record); }
  void evaluation(const EvaluationRecord& record) override { evaluations.push_back(record); }
  void note(const std::string& text) override { notes.push_back(text); }
  bool go_on() override { return steps.empty() || steps.back().step != stop_after_; }

  Plan plan;
  std::vector<StepRecord> steps;
  std::vector<EvaluationRecord> evaluations;
  std::vector<std::string> notes;

 private:
  int64_t stop_after_;
};

inline TrainingEnd train_with(const std::filesystem::path& recipe, Recorder& recorder) {
  TrainerOptions options;
  options.isa = chosen_isa();
  return train(recipe, options, recorder);
}

inline void expect_done(const std::filesystem::path& recipe) {
  Recorder recorder;
  EXPECT_EQ(train_with(recipe, recorder), TrainingEnd::kDone);
}

}  // namespace minke::testing
