#include "learn/train/run_keeper.h"

#include <cmath>
#include <filesystem>
#include <limits>

#include <fmt/core.h>

#include "base/core/error.h"
#include "base/core/mapped_file.h"

namespace minke {
namespace {

double seconds_since(RunKeeper::Clock::time_point start) {
  return std::chrono::duration<double>(RunKeeper::Clock::now() - start).count();
}

// The lowest is the best.
double score_of(const EvaluationRecord& record) {
  const auto accuracy = record.values.find("accuracy");
  if (accuracy != record.values.end()) return -accuracy->second;
  const auto loss = record.values.find("loss");
  return loss == record.values.end() ? std::nan("") : loss->second;
}

}  // namespace

int64_t steps_before(const Recipe& recipe, int64_t stage) {
  int64_t steps = 0;
  for (int64_t i = 0; i < stage; ++i) steps += recipe.stages[static_cast<size_t>(i)].schedule.steps;
  return steps;
}

RunKeeper::RunKeeper(const Recipe& recipe, const std::filesystem::path& recipe_path,
                     const TrainerOptions& options, TrainingObserver& observer, Learner& learner)
    : recipe_(recipe),
      options_(options),
      observer_(observer),
      learner_(learner),
      inputs_(run_inputs(recipe)),
      store_(run_folder(recipe, recipe_path, options.output), read_text_file(recipe_path)) {
  state_.inputs = inputs_;
}

std::optional<SavedRun> RunKeeper::resume() {
  auto saved = store_.resume([&](const std::string& text) { observer_.note(text); });
  if (!saved) return saved;
  require_same_inputs(saved->state.inputs, inputs_);
  state_ = saved->state;
  state_.inputs = inputs_;
  saved_step_ = state_.step;
  return saved;
}

void RunKeeper::begin(int64_t steps) {
  steps_ = steps;
  log_.emplace(store_.log_path(), state_.step);
  SittingRecord sitting = learner_.describe();
  flops_per_token_ = sitting.flops_per_token;
  sitting.step = state_.step;
  if (options_.describe_machine) {
    const MachineFacts machine = options_.describe_machine(sitting.threads);
    sitting.peak_flops = peak_flops_ = machine.peak_flops;
    sitting.machine = machine.name;
  }
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
  if (peak_flops_ > 0) {
    record.percent_of_peak = 100 * record.tokens_per_second * flops_per_token_ / peak_flops_;
  }
  state_.step = record.step;
  state_.tokens = record.tokens;
  state_.seconds += record.seconds;
  state_.cursor = std::move(cursor);
  log_->append(record);
  observer_.step(record);
}

std::string RunKeeper::what_is_saved() const {
  return saved_step_
             ? fmt::format("the last checkpoint is from before that, of step {}", *saved_step_)
             : "no checkpoint was written before that";
}

void RunKeeper::require_finite(const StepRecord& record) const {
  if (std::isfinite(record.loss) && std::isfinite(record.gradient_norm)) return;
  fail(store_.folder().string(),
       "step {}: the loss is {} and the gradients' norm {}; {}; a lower learning rate may help",
       record.step, record.loss, record.gradient_norm, what_is_saved());
}

bool RunKeeper::evaluated() const {
  const auto& all = log_->evaluations();
  return !all.empty() && all.back().step == state_.step;
}

void RunKeeper::note_evaluation(Clock::time_point start, EvaluationRecord record) {
  record.step = state_.step;
  record.tokens = state_.tokens;
  state_.seconds += seconds_since(start);
  log_->append(record);
  observer_.evaluation(record);
}

bool RunKeeper::out_of_patience() const {
  if (recipe_.evaluation.patience == 0 || state_.stage != last_stage()) return false;
  const int64_t begin = steps_before(recipe_, state_.stage);
  double lowest = std::numeric_limits<double>::infinity();
  int64_t worse = 0;
  for (const EvaluationRecord& e : log_->evaluations()) {
    // That of the step before a stage is of the data of the stage before; the first has none
    // before.
    if (e.step <= begin && begin > 0) continue;
    if (score_of(e) < lowest) {
      lowest = score_of(e);
      worse = 0;
    } else {
      ++worse;
    }
  }
  return worse >= recipe_.evaluation.patience;
}

std::optional<int64_t> RunKeeper::best_step(int64_t stage) const {
  const int64_t begin = steps_before(recipe_, stage), end = steps_before(recipe_, stage + 1);
  std::optional<int64_t> best;
  double lowest = std::numeric_limits<double>::infinity();
  for (const EvaluationRecord& e : log_->evaluations()) {
    if (e.step <= begin || e.step > end || !(score_of(e) < lowest)) continue;
    lowest = score_of(e);
    best = e.step;
  }
  return best;
}

void RunKeeper::save_if_due(bool now) {
  const auto& wanted = recipe_.checkpoint;
  const bool by_steps = wanted.every_steps > 0 && state_.step % wanted.every_steps == 0;
  const bool by_time = wanted.every_seconds > 0 &&
                       seconds_since(saved_at_) >= static_cast<double>(wanted.every_seconds);
  const bool measured = wanted.keep_best && evaluated();
  if (state_.step == 0 || !(now || by_steps || by_time || measured)) return;
  const std::string broken = learner_.broken_weight();
  if (!broken.empty()) {
    fail(store_.folder().string(),
         "step {}: {} is no finite number any more; {}; a lower learning rate may help",
         state_.step, broken, what_is_saved());
  }
  // Until a stage is measured, the best of the one before stays.
  std::optional<int64_t> best;
  for (int64_t s = state_.stage; wanted.keep_best && !best && s >= 0; --s) best = best_step(s);
  log_->sync();
  learner_.save(store_, state_, wanted.keep, best);
  saved_at_ = Clock::now();
  saved_step_ = state_.step;
  observer_.note(fmt::format("checkpoint of step {} written", state_.step));
}

void RunKeeper::take_best_weights() {
  const auto best = best_step(last_stage());
  if (!best || *best == state_.step) return;
  try {
    learner_.restore(store_.checkpoint(*best));
  } catch (const Error& error) {
    const auto written = store_.folder() / (recipe_.lora.rank > 0 ? "adapter" : "model");
    if (std::filesystem::exists(written)) {
      fail(written.string(),
           "stays as it is: the checkpoint of step {}, which did best, is damaged or missing: {}",
           *best, error.what());
    }
    return observer_.note(fmt::format(
        "the best checkpoint is damaged, the last weights are written instead: {}", error.what()));
  }
  learner_.publish();
  observer_.note(fmt::format("the weights of step {} did best on held-out problems", *best));
}

void RunKeeper::finish() {
  if (state_.step < steps_) {
    observer_.note(
        fmt::format("step {}: the last {} evaluations were no better than one before; "
                    "the run ends",
                    state_.step, recipe_.evaluation.patience));
  }
  if (recipe_.run.model == ModelChoice::kBest) take_best_weights();
  observer_.note(learner_.write(store_.folder()));
}

}  // namespace minke
