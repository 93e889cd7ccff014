#pragma once

#include <chrono>
#include <filesystem>
#include <optional>

#include "learn/train/learner.h"
#include "learn/train/run_inputs.h"
#include "learn/train/trainer.h"

namespace minke {

// Steps of the stages before `stage`.
int64_t steps_before(const Recipe& recipe, int64_t stage);

// What keeps a run in its folder: where it stands, its log and its checkpoints. What a step is, is
// up to who owns it.
class RunKeeper {
 public:
  using Clock = std::chrono::steady_clock;

  // Makes the run's folder, or takes up what is there. All must outlive this. Throws Error if
  // somebody else works on the run, it is of another recipe, or an input of it cannot be read.
  RunKeeper(const Recipe& recipe, const std::filesystem::path& recipe_path,
            const TrainerOptions& options, TrainingObserver& observer, Learner& learner);

  RunState& state() { return state_; }
  const RunState& state() const { return state_; }
  const std::filesystem::path& folder() const { return store_.folder(); }

  // The last checkpoint that is whole; its state is now the run's. Weights and optimizer are not
  // restored yet. Throws Error if the tokenizer, the first model or a shard is another one than
  // then.
  std::optional<SavedRun> resume();
  // Opens the log, has the machine measured, tells the observer, and brings what the model computes
  // with up to date.
  void begin(int64_t steps);

  // A step that began at `start` and passed `tokens` through the model is done: the rest of its
  // record is filled in and logged, and the state is that behind it, with `cursor`.
  void finish_step(Clock::time_point start, int64_t tokens, std::string cursor, StepRecord& record);
  // Throws Error that names the step if its loss or its gradients' norm is no finite number.
  void require_finite(const StepRecord& record) const;

  // Whether the log has an evaluation of the state's step.
  bool evaluated() const;
  // Logs an evaluation that began at `start`, of a loss or of an accuracy.
  void note_evaluation(Clock::time_point start, EvaluationRecord record);
  // Whether the last evaluation.patience evaluations of the last stage were none better than one
  // before them, so that the run ends. It is a function of the log: the same after interruptions.
  bool out_of_patience() const;

  // Writes a checkpoint if it is time for one by the recipe, a best one may have to be kept, or
  // `now`. Throws Error if a weight is no finite number, because such a checkpoint would push out
  // good ones.
  void save_if_due(bool now);
  // "the last checkpoint is from before that", or that there is none: for errors.
  std::string what_is_saved() const;
  // When the run is done, at whatever step: writes RUN/model or RUN/adapter, of the last weights
  // or, by run.model, of the checkpoint that did best in the last stage.
  void finish();

 private:
  // The step behind which a stage did best, if it was measured.
  std::optional<int64_t> best_step(int64_t stage) const;
  int64_t last_stage() const { return static_cast<int64_t>(recipe_.stages.size()) - 1; }
  void take_best_weights();

  const Recipe& recipe_;
  const TrainerOptions& options_;
  TrainingObserver& observer_;
  Learner& learner_;
  std::map<std::string, std::string> inputs_;
  RunStore store_;
  std::optional<RunLog> log_;
  RunState state_;
  int64_t steps_ = 0;  // of the whole run
  double flops_per_token_ = 0, peak_flops_ = 0;
  Clock::time_point saved_at_;
  std::optional<int64_t> saved_step_;
};

}  // namespace minke
