#include "learn/rl/grpo.h"

#include <algorithm>
#include <chrono>
#include <optional>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/core/error.h"
#include "base/core/rng.h"
#include "learn/rl/held_out.h"
#include "learn/rl/objective.h"
#include "learn/rl/policy_update.h"
#include "learn/rl/prompts.h"
#include "learn/rl/rollouts.h"
#include "learn/train/run_keeper.h"

namespace minke {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

// Questions of tasks that are looked at before a run begins: mistakes of a recipe show in them. Of
// those that come later, the ones that leave no room for a reply are passed over.
constexpr uint64_t kTriedQuestions = 256;

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
  double tokens = 0, right_tokens = 0, entropy = 0;
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
      for (const float p : r.log_probabilities) entropy -= p;
    }
  }
  std::map<std::string, double> values = {
      {"reward", reward / replies},
      {"accuracy", right / replies},
      {"format", format / replies},
      {"cut", cut / replies},
      {"tokens", tokens / replies},
      {"entropy", entropy / tokens},
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
    if (!sampler_.renderer().thinks()) {
      fail(recipe_.model.from,
           "expected a chat format with thinking, which rewards are given for, found {}",
           chat_format_name(sampler_.renderer().chat_template().format));
    }
    const uint64_t size = prompts_->size();
    for (uint64_t n = 0; n < (size > 0 ? size : kTriedQuestions); ++n) {
      sampler_.prompt(prompts_->question(n));
    }
    if (recipe_.evaluation.every > 0) {
      for (const Question& question :
           held_out_questions(stage().data, recipe_.evaluation.problems)) {
        sampler_.prompt(question);
      }
    }
    // Last, so that a recipe that cannot be run leaves no folder that insists on it.
    keeper_.emplace(recipe_, recipe_path, options_, observer_, learner_);
  }

  TrainingEnd run() {
    resume();
    const int64_t steps = stage().schedule.steps;
    keeper_->begin(steps);
    for (bool go_on = true;;) {
      go_on = go_on && evaluate_if_due();
      const bool done = go_on && (state().step == steps || keeper_->out_of_patience());
      keeper_->save_if_due(done || !go_on);
      if (done) break;
      if (!go_on) return TrainingEnd::kStopped;
      go_on = step() && observer_.go_on();
    }
    keeper_->finish();
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
  RunState& state() { return keeper_->state(); }

  void resume() {
    learner_.begin(stage().optimizer);
    const auto saved = keeper_->resume();
    if (!saved) {
      state().cursor = cursor_json();
      return;
    }
    if (state().step > stage().schedule.steps) {
      fail(saved->folder.string(), "expected one of the recipe's {} steps, found {}",
           stage().schedule.steps, state().step);
    }
    read_cursor(state().cursor, saved->folder.string());
    learner_.restore(*saved);
  }

  // The place in the questions and what they are, which has to be the same; and the updates so far.
  std::string cursor_json() const {
    return nlohmann::json{{"order", nlohmann::json::parse(order_.json())},
                          {"questions", prompts_->fingerprint()},
                          {"updates", updates_made_}}
        .dump();
  }

  void read_cursor(const std::string& text, const std::string& where) {
    const auto json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
    const auto part = [&](const char* name) {
      return json.is_object() && json.contains(name) ? json[name] : nlohmann::json();
    };
    order_.from_json(part("order").dump(), where);
    if (!part("updates").is_number_unsigned()) {
      fail(where, "cursor: expected the number of updates, found {}", printable(text));
    }
    updates_made_ = part("updates").get<int64_t>();
    if (part("questions") != prompts_->fingerprint()) {
      fail(recipe_.grpo.questions, "expected the questions that this run began with, found others");
    }
  }

  // False if the user wants to stop; the step is not done then.
  bool step() {
    const Clock::time_point start = Clock::now();
    PromptOrder order = order_;
    const std::vector<RolloutGroup> groups = rollouts(order);
    if (groups.empty()) return false;
    StepRecord record;
    record.step = state().step + 1;
    record.values = rollout_values(groups);
    if (too_long_ > 0) record.values["too_long"] = static_cast<double>(too_long_);
    record.values["rollout_seconds"] = seconds_since(start);
    const Clock::time_point sampled = Clock::now();
    // An optimizer that divides by the gradient's size would make a whole step of a few groups,
    // whose gradient is small by the constant normalizer and mostly noise. Fewer groups than
    // updates make as many updates less.
    const auto useful = static_cast<int64_t>(std::ranges::count_if(
        groups, [](const RolloutGroup& group) { return group.has_signal(); }));
    record.learning_rate =
        stage().schedule.learning_rate(record.step) *
        std::min(1.0, static_cast<double>(std::max(useful, recipe_.grpo.updates)) /
                          static_cast<double>(recipe_.grpo.prompts));
    const int64_t tokens = teach(groups, record);
    record.values["update_seconds"] = seconds_since(sampled);
    order_ = std::move(order);
    keeper_->finish_step(start, tokens, cursor_json(), record);
    return true;
  }

  // Groups until enough of them have a signal. Empty if the user wants to stop.
  std::vector<RolloutGroup> rollouts(PromptOrder& order) {
    const GrpoRecipe& grpo = recipe_.grpo;
    const uint64_t seed =
        Rng(static_cast<uint64_t>(recipe_.run.seed), static_cast<uint64_t>(state().step)).next();
    const auto go_on = [this] { return observer_.go_on(); };
    std::vector<RolloutGroup> groups;
    int64_t asked = 0, found = 0;
    too_long_ = 0;
    while (found < grpo.prompts && asked < grpo.refill * grpo.prompts) {
      const int64_t count = std::min(grpo.prompts - found, grpo.refill * grpo.prompts - asked);
      std::vector<uint64_t> numbers;
      std::vector<Question> questions;
      for (const uint64_t n : order.next(count)) {
        Question question = prompts_->question(n);
        if (!sampler_.fits(question)) continue;
        numbers.push_back(n);
        questions.push_back(std::move(question));
      }
      asked += count;
      too_long_ += count - static_cast<int64_t>(numbers.size());
      if (numbers.empty()) continue;
      // A question may come twice in a step: the number of the round makes its replies others.
      auto round = sampler_.sample(std::move(questions), numbers,
                                   Rng(seed, static_cast<uint64_t>(asked - count)).next(), go_on);
      if (round.empty()) return {};
      for (RolloutGroup& group : round) {
        reward(group);
        found += group.has_signal();
        if (group.all_right()) order.note_easy(group.number);
        groups.push_back(std::move(group));
      }
    }
    if (groups.empty()) {
      fail("data.context",
           "expected room for questions beside grpo.reply_tokens, found {} too long", asked);
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
    bool fresh = true;
    for (size_t u = 0; u < updates; ++u) {
      const size_t begin = useful.size() * u / updates, end = useful.size() * (u + 1) / updates;
      if (begin == end) continue;
      const UpdateResult result =
          update_.gradients(std::span(useful).subspan(begin, end - begin), fresh);
      record.loss += result.loss / static_cast<double>(updates);
      record.gradient_norm = std::max(record.gradient_norm, result.gradient_norm);
      if (fresh) require_equal(record, result.largest_difference);
      keeper_->require_finite(record);
      learner_.step(record.learning_rate, ++updates_made_);
      fresh = false;
      add_loads(result.loads, loads);
      clipped += static_cast<double>(result.clipped);
      divergence += result.divergence;
      trained += static_cast<double>(result.tokens);
      passed += result.passed_tokens;
    }
    if (fresh) {
      require_equal(record, update_.difference(groups));
      return 0;
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

  // What is trained on must be what was sampled: one bit that differs would be a mistake.
  void require_equal(StepRecord& record, double difference) const {
    record.values["log_probability_difference"] = difference;
    if (difference == 0) return;
    fail(keeper_->folder().string(),
         "step {}: expected the same log-probabilities from trainer and engine, found a "
         "difference of {}; {}",
         record.step, difference, keeper_->what_is_saved());
  }

  // False if the user wants to stop.
  bool evaluate_if_due() {
    const int64_t every = recipe_.evaluation.every;
    const bool due = every > 0 && !stage().data.tasks.empty() &&
                     (state().step % every == 0 || state().step == stage().schedule.steps);
    if (!due || keeper_->evaluated()) return true;
    const Clock::time_point start = Clock::now();
    EvaluationRecord record;
    record.values = held_out_scores(
        learner_.model(), sampler_, rollout_options(recipe_, learner_, options_.isa).batch,
        stage().data, recipe_.evaluation.problems, [this] { return observer_.go_on(); });
    if (record.values.empty()) return false;
    keeper_->note_evaluation(start, std::move(record));
    return true;
  }

  TrainerOptions options_;
  TrainingObserver& observer_;
  Recipe recipe_;
  Learner learner_;
  std::unique_ptr<PromptSource> prompts_;
  PromptOrder order_;
  int64_t updates_made_ = 0;  // not every step teaches, nor has each as many as the recipe allows
  int64_t too_long_ = 0;      // questions of the last step that left no room for a reply
  RolloutSampler sampler_;
  std::unique_ptr<Reference> reference_;
  PolicyUpdate update_;
  std::optional<RunKeeper> keeper_;
};

}  // namespace

TrainingEnd grpo(const fs::path& recipe, const TrainerOptions& options,
                 TrainingObserver& observer) {
  return Grpo(recipe, options, observer).run();
}

}  // namespace minke
