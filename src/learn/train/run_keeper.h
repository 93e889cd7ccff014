#pragma once

#include <chrono>
#include <filesystem>
#include <optional>

#include "learn/train/learner.h"
#include "learn/train/trainer.h"

namespace minke {

// What keeps a run in its folder: where it stands, its log and its checkpoints. What a step is, is
// up to who owns it.
class RunKeeper {
 public:
  using Clock = std::chrono::steady_clock;

  // Makes the run's folder, or takes up what is there. All must outlive this. Throws Error if
  // somebody else works on the run, or it is of another recipe.
  RunKeeper(const Recipe& recipe, const std::filesystem::path& recipe_path,
            const TrainerOptions& options, TrainingObserver& observer, Learner& learner);

  RunState& state() { return state_; }
  const std::filesystem::path& folder() const { return store_.folder(); }

  // The last checkpoint that is whole; its state is now the run's. Weights and optimizer are not
  // restored yet.
  std::optional<SavedRun> resume();
  // Opens the log, tells the observer, and brings what the model computes with up to date.
  void begin(int64_t steps);

  // A step that began at `start` and passed `tokens` through the model is done: the rest of its
  // record is filled in and logged, and the state is that behind it, with `cursor`.
  void finish_step(Clock::time_point start, int64_t tokens, std::string cursor, StepRecord& record);
  // Throws Error that names the step if its loss or its gradients' norm is no finite number.
  void require_finite(const StepRecord& record) const;

  // Whether the log has an evaluation of the state's step.
  bool evaluated() const { return evaluated_at_ == state_.step; }
  // Logs an evaluation that began at `start`; `score`: the lowest is the best.
  void note_evaluation(Clock::time_point start, EvaluationRecord record, double score);

  // Writes a checkpoint if it is time for one by the recipe, a best one may have to be kept, or
  // `now`. Throws Error if a weight is no finite number, because such a checkpoint would push out
  // good ones.
  void save_if_due(bool now);
  void write_model();

 private:
  const Recipe& recipe_;
  const TrainerOptions& options_;
  TrainingObserver& observer_;
  Learner& learner_;
  RunStore store_;
  std::optional<RunLog> log_;
  RunState state_;
  int64_t evaluated_at_ = -1;
  double flops_per_token_ = 0;
  Clock::time_point saved_at_;
};

}  // namespace minke
