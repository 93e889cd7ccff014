#include "learn/train/run_keeper.h"

#include <cmath>

#include <fmt/core.h>

#include "base/core/error.h"
#include "base/core/mapped_file.h"

namespace minke {
namespace {

double seconds_since(RunKeeper::Clock::time_point start) {
  return std::chrono::duration<double>(RunKeeper::Clock::now() - start).count();
}

}  // namespace

RunKeeper::RunKeeper(const Recipe& recipe, const std::filesystem::path& recipe_path,
                     const TrainerOptions& options, TrainingObserver& observer, Learner& learner)
    : recipe_(recipe),
      options_(options),
      observer_(observer),
      learner_(learner),
      store_(run_folder(recipe, recipe_path, options.output), read_text_file(recipe_path)) {}

std::optional<SavedRun> RunKeeper::resume() {
  auto saved =
      latest_checkpoint(store_.folder(), [&](const std::string& text) { observer_.note(text); });
  if (saved) state_ = saved->state;
  return saved;
}

void RunKeeper::begin(int64_t steps) {
  log_.emplace(store_.log_path(), state_.step);
  if (log_->evaluated(state_.step)) evaluated_at_ = state_.step;
  SittingRecord sitting = learner_.describe();
  flops_per_token_ = sitting.flops_per_token;
  sitting.step = state_.step;
  sitting.peak_flops = options_.peak_flops;
  sitting.machine = options_.machine;
  log_->append(sitting);
  observer_.begin({steps, state_.step, sitting});
  learner_.publish();
  saved_at_ = Clock::now();
}

void RunKeeper::finish_step(Clock::time_point start, int64_t tokens, std::string cursor,
                            StepRecord& record) {
  record.tokens = state_.tokens + tokens;
  record.seconds = seconds_since(start);
  record.tokens_per_second = static_cast<double>(tokens) / record.seconds;
  if (options_.peak_flops > 0) {
    record.percent_of_peak =
        100 * record.tokens_per_second * flops_per_token_ / options_.peak_flops;
  }
  state_.step = record.step;
  state_.tokens = record.tokens;
  state_.seconds += record.seconds;
  state_.cursor = std::move(cursor);
  state_.score.reset();  // it was that of other weights
  log_->append(record);
  observer_.step(record);
}

void RunKeeper::require_finite(const StepRecord& record) const {
  if (std::isfinite(record.loss) && std::isfinite(record.gradient_norm)) return;
  fail(store_.folder().string(),
       "step {}: the loss is {} and the gradients' norm {}; the last checkpoint is from before "
       "that; a lower learning rate may help",
       record.step, record.loss, record.gradient_norm);
}

void RunKeeper::note_evaluation(Clock::time_point start, EvaluationRecord record, double score) {
  record.step = evaluated_at_ = state_.step;
  record.tokens = state_.tokens;
  state_.score = score;
  state_.seconds += seconds_since(start);
  log_->append(record);
  observer_.evaluation(record);
}

void RunKeeper::save_if_due(bool now) {
  const auto& wanted = recipe_.checkpoint;
  const bool by_steps = wanted.every_steps > 0 && state_.step % wanted.every_steps == 0;
  const bool by_time = wanted.every_seconds > 0 &&
                       seconds_since(saved_at_) >= static_cast<double>(wanted.every_seconds);
  const bool measured = wanted.keep_best && state_.score.has_value();
  if (state_.step == 0 || !(now || by_steps || by_time || measured)) return;
  const std::string broken = learner_.broken_weight();
  if (!broken.empty()) {
    fail(store_.folder().string(),
         "step {}: {} is no finite number any more; the last checkpoint is from before that; a "
         "lower learning rate may help",
         state_.step, broken);
  }
  log_->sync();
  learner_.save(store_, state_, wanted.keep, wanted.keep_best);
  saved_at_ = Clock::now();
  observer_.note(fmt::format("checkpoint of step {} written", state_.step));
}

void RunKeeper::write_model() {
  observer_.note(learner_.write(store_.folder()));
}

}  // namespace minke
