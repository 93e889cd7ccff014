#include "learn/rl/grpo.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>

#include <fmt/core.h>

#include "base/core/error.h"
#include "base/core/mapped_file.h"
#include "base/core/rng.h"
#include "learn/rl/held_out.h"
#include "learn/rl/objective.h"
#include "learn/rl/policy_update.h"
#include "learn/rl/prompts.h"
#include "learn/rl/rollouts.h"
#include "learn/train/learner.h"

namespace minke {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

// Between the log-probabilities of trainer and engine. They are equal on one machine; beyond this
// the replies would not be the policy's.
constexpr double kMostDifference = 1e-2;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

Recipe read_grpo_recipe(const fs::path& path) {
  Recipe recipe = read_recipe(path);
  if (!recipe.grpo.given) {
    fail(path.string(),
         "grpo: expected the section of reinforcement, found none; minke train runs "
         "recipes without it");
  }
  if (recipe.model.from.empty()) {
    fail(path.string(), "model.from: expected a model to teach, found the fields of a new one");
  }
  return recipe;
}

RolloutOptions rollout_options(const Recipe& recipe, Learner& learner, Isa isa) {
  RolloutOptions options;
  options.batch.session.threads = learner.pool().size();
  options.batch.session.isa = isa;
  options.batch.session.context = recipe.stages.front().data.context;
  options.batch.session.kv_type = learner.precision();
  options.batch.slots = recipe.grpo.slots;
  options.group = recipe.grpo.group;
  options.reply_tokens = recipe.grpo.reply_tokens;
  return options;
}

// Means over what was sampled in a step.
std::map<std::string, double> rollout_values(std::span<const RolloutGroup> groups) {
  double replies = 0, reward = 0, format = 0, language = 0, cut = 0, right = 0, quiet = 0;
  double tokens = 0, right_tokens = 0, entropy = 0, drawn = 0;
  for (const RolloutGroup& group : groups) {
    quiet += !group.has_signal();
    for (const Rollout& r : group.rollouts) {
      ++replies;
      reward += r.reward;
      right += r.rewards.accuracy;
      format += r.rewards.format;
      language += r.rewards.language;
      cut += r.reply.cut;
      const auto count = static_cast<double>(r.tokens.size());
      tokens += count;
      right_tokens += r.rewards.accuracy > 0 ? count : 0;
      drawn += count;
      for (const float p : r.log_probabilities) entropy -= p;
    }
  }
  std::map<std::string, double> values = {
      {"reward", reward / replies},
      {"accuracy", right / replies},
      {"format", format / replies},
      {"cut", cut / replies},
      {"tokens", tokens / replies},
      {"entropy", entropy / drawn},
      {"no_signal", quiet / static_cast<double>(groups.size())},
      {"asked", static_cast<double>(groups.size())},
  };
  if (right > 0) values["language"] = language / right;
  if (right > 0) values["tokens_right"] = right_tokens / right;
  if (right < replies) values["tokens_wrong"] = (tokens - right_tokens) / (replies - right);
  return values;
}

class Grpo {
 public:
  Grpo(const fs::path& recipe_path, const TrainerOptions& options, TrainingObserver& observer)
      : options_(options),
        observer_(observer),
        recipe_(read_grpo_recipe(recipe_path)),
        learner_(recipe_, options.isa, stage().data.context, PredictionModule::kLeftOut),
        prompts_(prompt_source(recipe_, learner_.encoder())),
        order_(recipe_.grpo.easy_share),
        sampler_(learner_.model(), learner_.tokenizer(),
                 rollout_options(recipe_, learner_, options.isa)),
        reference_(recipe_.grpo.kl > 0 ? std::make_unique<Reference>(*this) : nullptr),
        update_(recipe_, learner_, reference_ ? &reference_->learner.pass() : nullptr) {
    // Last, so that a recipe that cannot be run leaves no folder that insists on it.
    store_.emplace(run_folder(recipe_, recipe_path, options.output), read_text_file(recipe_path));
  }

  TrainingEnd run() {
    resume();
    RunLog log(store_->log_path(), state_.step);
    log_ = &log;
    const SittingRecord sitting = sitting_record();
    log.append(sitting);
    const int64_t steps = stage().schedule.steps;
    observer_.begin({steps, state_.step, sitting});
    learner_.publish();
    saved_at_ = Clock::now();
    if (state_.step == 0 && !evaluate_if_due()) return TrainingEnd::kStopped;
    while (state_.step < steps) {
      const bool go_on = step() && evaluate_if_due() && observer_.go_on();
      save_if_due(!go_on);
      if (!go_on && state_.step < steps) return TrainingEnd::kStopped;
    }
    observer_.note(learner_.write(store_->folder()));
    return TrainingEnd::kDone;
  }

 private:
  // The first model, as it was.
  struct Reference {
    explicit Reference(const Grpo& run)
        : learner(run.recipe_, run.options_.isa, run.stage().data.context,
                  PredictionModule::kLeftOut) {
      learner.publish();
    }
    Learner learner;
  };

  const Stage& stage() const { return recipe_.stages.front(); }

  void resume() {
    learner_.begin(stage().optimizer);
    state_.cursor = order_.json();
    const auto saved =
        latest_checkpoint(store_->folder(), [&](const std::string& text) { observer_.note(text); });
    if (!saved) return;
    state_ = saved->state;
    if (state_.step > stage().schedule.steps) {
      fail(saved->folder.string(), "expected one of the recipe's {} steps, found {}",
           stage().schedule.steps, state_.step);
    }
    order_.from_json(state_.cursor, saved->folder.string());
    learner_.restore(*saved);
  }

  SittingRecord sitting_record() {
    SittingRecord r = learner_.describe();
    flops_per_token_ = r.flops_per_token;
    r.step = state_.step;
    r.peak_flops = options_.peak_flops;
    r.machine = options_.machine;
    return r;
  }

  // False if the user wants to stop; the step is not done then.
  bool step() {
    const Clock::time_point start = Clock::now();
    PromptOrder order = order_;
    const std::vector<RolloutGroup> groups = rollouts(order);
    if (groups.empty()) return false;
    StepRecord record;
    record.step = state_.step + 1;
    record.values = rollout_values(groups);
    record.values["rollout_seconds"] = seconds_since(start);
    const Clock::time_point sampled = Clock::now();
    record.learning_rate = stage().schedule.learning_rate(record.step);
    const int64_t tokens = teach(groups, record);
    record.values["update_seconds"] = seconds_since(sampled);
    order_ = std::move(order);
    finish_step(start, tokens, record);
    return true;
  }

  // Groups until enough of them have a signal. Empty if the user wants to stop.
  std::vector<RolloutGroup> rollouts(PromptOrder& order) {
    const GrpoRecipe& grpo = recipe_.grpo;
    const uint64_t seed =
        Rng(static_cast<uint64_t>(recipe_.run.seed), static_cast<uint64_t>(state_.step)).next();
    const auto go_on = [this] { return observer_.go_on(); };
    std::vector<RolloutGroup> groups;
    int64_t asked = 0, found = 0;
    while (found < grpo.prompts && asked < grpo.refill * grpo.prompts) {
      const int64_t count = std::min(grpo.prompts - found, grpo.refill * grpo.prompts - asked);
      const std::vector<uint64_t> numbers = order.next(count);
      std::vector<Question> questions;
      for (const uint64_t n : numbers) questions.push_back(prompts_->question(n));
      // A question may come twice in a step: the number of the round makes its replies others.
      auto round = sampler_.sample(std::move(questions), numbers,
                                   Rng(seed, static_cast<uint64_t>(asked)).next(), go_on);
      if (round.empty()) return {};
      for (RolloutGroup& group : round) {
        reward(group);
        found += group.has_signal();
        if (group.all_right()) order.note_easy(group.number);
        groups.push_back(std::move(group));
      }
      asked += count;
    }
    return groups;
  }

  void reward(RolloutGroup& group) const {
    std::vector<double> rewards;
    std::vector<bool> masked;
    for (Rollout& r : group.rollouts) {
      r.reward = r.rewards.total(recipe_.rewards);
      r.masked = recipe_.grpo.mask_cut && r.reply.cut;
      rewards.push_back(r.reward);
      masked.push_back(r.masked);
    }
    const auto values = advantages(rewards, masked, recipe_.grpo.advantage);
    for (size_t i = 0; i < values.size(); ++i) group.rollouts[i].advantage = values[i];
  }

  // The updates that the groups with a signal are good for. Returns the tokens that passed.
  int64_t teach(std::span<const RolloutGroup> groups, StepRecord& record) {
    std::vector<const RolloutGroup*> useful;
    for (const RolloutGroup& group : groups) {
      if (group.has_signal()) useful.push_back(&group);
    }
    const auto updates = static_cast<size_t>(recipe_.grpo.updates);
    std::vector<ExpertLoad> loads;
    double clipped = 0, divergence = 0, trained = 0;
    int64_t passed = 0;
    for (size_t u = 0; u < updates; ++u) {
      const size_t begin = useful.size() * u / updates, end = useful.size() * (u + 1) / updates;
      if (begin == end) continue;
      const UpdateResult result =
          update_.gradients(std::span(useful).subspan(begin, end - begin), u == 0);
      record.loss += result.loss / static_cast<double>(updates);
      record.gradient_norm = std::max(record.gradient_norm, result.gradient_norm);
      if (u == 0) record.values["log_probability_difference"] = result.largest_difference;
      require_sound(record, result);
      learner_.step(record.learning_rate, (record.step - 1) * static_cast<int64_t>(updates) +
                                              static_cast<int64_t>(u) + 1);
      add_loads(result.loads, loads);
      clipped += static_cast<double>(result.clipped);
      divergence += result.divergence;
      trained += static_cast<double>(result.tokens);
      passed += result.passed_tokens;
    }
    sampler_.weights_changed();
    learner_.balance(loads, stage().bias_update_speed);
    for (const ExpertLoad& load : loads) record.expert_load.push_back(busiest_over_mean(load));
    if (trained > 0) {
      record.values["clipped"] = clipped / trained;
      if (recipe_.grpo.kl > 0) record.values["kl"] = divergence / trained;
    }
    return passed;
  }

  void require_sound(const StepRecord& record, const UpdateResult& result) const {
    if (!std::isfinite(result.loss) || !std::isfinite(result.gradient_norm)) {
      fail(store_->folder().string(),
           "step {}: the loss is {} and the gradients' norm {}; the last checkpoint is from before "
           "that; a lower learning rate may help",
           record.step, result.loss, result.gradient_norm);
    }
    if (result.largest_difference > kMostDifference) {
      fail(store_->folder().string(),
           "step {}: expected the same log-probabilities from trainer and engine, found a "
           "difference of {}; the last checkpoint is from before that",
           record.step, result.largest_difference);
    }
  }

  void finish_step(Clock::time_point start, int64_t tokens, StepRecord& record) {
    record.seconds = seconds_since(start);
    record.tokens = state_.tokens + tokens;
    record.tokens_per_second = static_cast<double>(tokens) / record.seconds;
    if (options_.peak_flops > 0) {
      record.percent_of_peak =
          100 * record.tokens_per_second * flops_per_token_ / options_.peak_flops;
    }
    state_.step = record.step;
    state_.tokens = record.tokens;
    state_.seconds += record.seconds;
    state_.cursor = order_.json();
    log_->append(record);
    observer_.step(record);
  }

  // False if the user wants to stop.
  bool evaluate_if_due() {
    const int64_t every = recipe_.evaluation.every;
    const bool last = state_.step == stage().schedule.steps;
    if (every == 0 || stage().data.tasks.empty() || (state_.step % every != 0 && !last)) {
      return true;
    }
    const Clock::time_point start = Clock::now();
    EvaluationRecord record;
    record.step = state_.step;
    record.tokens = state_.tokens;
    record.values = held_out_scores(
        learner_.model(), sampler_, rollout_options(recipe_, learner_, options_.isa).batch,
        stage().data, recipe_.evaluation.problems, [this] { return observer_.go_on(); });
    if (record.values.empty()) return false;
    state_.score = -record.values["accuracy"];
    state_.seconds += seconds_since(start);
    log_->append(record);
    observer_.evaluation(record);
    return true;
  }

  void save_if_due(bool now) {
    const int64_t steps = recipe_.checkpoint.every_steps;
    const int64_t seconds = recipe_.checkpoint.every_seconds;
    now = now || state_.step == stage().schedule.steps || (steps > 0 && state_.step % steps == 0) ||
          (seconds > 0 && seconds_since(saved_at_) >= static_cast<double>(seconds));
    if (!now) return;
    const std::string broken = learner_.broken_weight();
    if (!broken.empty()) {
      fail(store_->folder().string(),
           "step {}: {} is no finite number any more; the last checkpoint is from before that; a "
           "lower learning rate may help",
           state_.step, broken);
    }
    log_->sync();
    learner_.save(*store_, state_, recipe_.checkpoint.keep, recipe_.checkpoint.keep_best);
    saved_at_ = Clock::now();
    observer_.note(fmt::format("checkpoint of step {} written", state_.step));
  }

  TrainerOptions options_;
  TrainingObserver& observer_;
  Recipe recipe_;
  Learner learner_;
  std::unique_ptr<PromptSource> prompts_;
  PromptOrder order_;
  RolloutSampler sampler_;
  std::unique_ptr<Reference> reference_;
  PolicyUpdate update_;
  std::optional<RunStore> store_;
  double flops_per_token_ = 0;
  RunState state_;
  RunLog* log_ = nullptr;
  Clock::time_point saved_at_;
};

}  // namespace

TrainingEnd grpo(const fs::path& recipe, const TrainerOptions& options,
                 TrainingObserver& observer) {
  return Grpo(recipe, options, observer).run();
}

}  // namespace minke
