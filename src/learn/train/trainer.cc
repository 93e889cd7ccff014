#include "learn/train/trainer.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>
#include <utility>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/core/error.h"
#include "base/core/mapped_file.h"
#include "learn/data/packing.h"
#include "learn/train/run_keeper.h"
#include "learn/train/stage_data.h"

namespace minke {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

std::string cursor_json(const PackingState& state) {
  return nlohmann::json{{"next", state.next}, {"deferred", state.deferred}}.dump();
}

PackingState cursor_of(const RunState& state, const fs::path& checkpoint) {
  try {
    const auto object = nlohmann::json::parse(state.cursor);
    return {object.at("next").get<uint64_t>(), object.at("deferred").get<std::vector<uint64_t>>()};
  } catch (const nlohmann::json::exception&) {
    fail(checkpoint.string(), "cursor: expected the place in the data, found {}",
         printable(state.cursor));
  }
}

int64_t longest_context(const Recipe& recipe) {
  int64_t longest = 0;
  for (const Stage& s : recipe.stages) longest = std::max(longest, s.data.context);
  return longest;
}

// The data of one stage, and the place in it.
struct StageData {
  StageData(const Stage& stage, const DocumentEncoder& encoder, const PackingState& state)
      : packing{stage.data.micro_batch_tokens, stage.data.context, 0},
        documents(stage_documents(stage.data, encoder, Split::kTrain)),
        packer(*documents, packing, state) {
    const bool measurable = stage.data.shards.empty() || !stage.data.held_out.empty();
    if (measurable) held_out = stage_documents(stage.data, encoder, Split::kHeldOut);
  }

  PackingOptions packing;
  std::unique_ptr<DocumentSource> documents;
  Packer packer;
  std::unique_ptr<DocumentSource> held_out;  // null if there is none
  bool cut_told = false;
};

// What some batches have in them.
struct Packed {
  void add(const PackedBatch& batch) {
    targets += batch.loss_targets;
    cut += batch.cut_documents;
    documents += batch.documents;
  }
  int64_t targets = 0, cut = 0, documents = 0;
};

class Trainer {
 public:
  Trainer(const fs::path& recipe_path, const TrainerOptions& options, TrainingObserver& observer)
      : options_(options),
        observer_(observer),
        recipe_(read_recipe(recipe_path)),
        learner_(recipe_, options.isa, longest_context(recipe_), PredictionModule::kTrained) {
    if (recipe_.grpo.given) {
      fail(recipe_path.string(), "grpo: not a section of training; minke grpo runs such a recipe");
    }
    // Mistakes in a later stage are found before the first one is computed.
    for (const Stage& stage : recipe_.stages) {
      stage_documents(stage.data, learner_.encoder(), Split::kTrain);
      if (!stage.data.held_out.empty()) {
        stage_documents(stage.data, learner_.encoder(), Split::kHeldOut);
      }
      total_steps_ += stage.schedule.steps;
    }
    // Last, so that a recipe that cannot be run leaves no folder that insists on it.
    keeper_.emplace(recipe_, recipe_path, options_, observer_, learner_);
  }

  TrainingEnd run() {
    resume();
    keeper_->begin(total_steps_);
    for (bool go_on = true;;) {
      go_on = go_on && evaluate_if_due();
      const bool done = go_on && (state().step == total_steps_ || keeper_->out_of_patience());
      keeper_->save_if_due(done || !go_on);
      if (done) break;
      if (!go_on) return TrainingEnd::kStopped;
      if (stage_end(state().stage) == state().step) begin_stage(state().stage + 1);
      step();
      go_on = observer_.go_on();
    }
    keeper_->finish();
    return TrainingEnd::kDone;
  }

 private:
  RunState& state() { return keeper_->state(); }
  const RunState& state() const { return keeper_->state(); }
  const Stage& stage() const { return recipe_.stages[static_cast<size_t>(state().stage)]; }
  // The last step of a stage; 0 before the first stage.
  int64_t stage_end(int64_t index) const { return steps_before(recipe_, index + 1); }
  void resume() {
    const auto saved = keeper_->resume();
    if (!saved) return open_stage({});
    const auto stages = static_cast<int64_t>(recipe_.stages.size());
    if (state().stage >= stages || state().step > stage_end(state().stage) ||
        state().step <= stage_end(state().stage - 1)) {
      fail(saved->folder.string(),
           "expected a step of the recipe's {} stages, found {} in stage {}", stages, state().step,
           state().stage);
    }
    open_stage(cursor_of(state(), saved->folder));
    learner_.restore(*saved);
  }

  // An optimizer forgets the stage before: its sums of gradients are of other data.
  void begin_stage(int64_t index) {
    state().stage = index;
    open_stage({});
  }

  void open_stage(const PackingState& state) {
    learner_.begin(stage().optimizer);
    data_ = std::make_unique<StageData>(stage(), learner_.encoder(), state);
  }

  void step() {
    const Clock::time_point start = Clock::now();
    std::vector<PackedBatch> batches;
    int64_t tokens = 0, second = 0;
    Packed packed;
    for (int64_t left = stage().data.batch_tokens; left > 0;
         left -= stage().data.micro_batch_tokens) {
      batches.push_back(data_->packer.next());
      packed.add(batches.back());
      tokens += batches.back().filled;
      second += count_second_targets(batches.back());
    }
    const double prediction =
        learner_.predicts() && second > 0 ? stage().mtp_weight / static_cast<double>(second) : 0;
    require_targets(packed, fmt::format("step {}", state().step + 1));
    learner_.clear_gradients();
    double loss = 0;
    std::vector<ExpertLoad> loads;
    for (const PackedBatch& batch : batches) {
      PassInput input = input_of(batch, packed.targets, stage().balance_loss);
      input.prediction = static_cast<float>(prediction);
      loss += learner_.pass().train(input).loss;
      add_loads(learner_.pass().tape().loads, loads);
    }
    StepRecord record;
    record.step = state().step + 1;
    record.stage = state().stage;
    record.loss = loss;
    tell_cut(packed, record);
    record.gradient_norm = learner_.finish_gradients(stage().clip);
    keeper_->require_finite(record);
    const int64_t step_of_stage = record.step - stage_end(state().stage - 1);
    record.learning_rate = stage().schedule.learning_rate(step_of_stage);
    learner_.step(record.learning_rate, step_of_stage);
    for (const ExpertLoad& load : loads) record.expert_load.push_back(busiest_over_mean(load));
    learner_.balance(loads, stage().bias_update_speed);
    keeper_->finish_step(start, tokens, cursor_json(data_->packer.state()), record);
  }

  PassInput input_of(const PackedBatch& batch, int64_t targets, double balance) {
    const auto n = static_cast<size_t>(batch.filled);
    weights_.assign(n, 1.0f / static_cast<float>(std::max<int64_t>(targets, 1)));
    size_t segments = batch.segment_starts.size();
    while (segments > 0 && batch.segment_starts[segments - 1] >= batch.filled) --segments;
    return {std::span(batch.tokens).first(n),
            std::span(batch.positions).first(n),
            std::span(batch.targets).first(n),
            std::span(batch.segment_starts).first(segments),
            std::span<const float>(weights_),
            balance / static_cast<double>(stage().data.batch_tokens)};
  }

  int64_t count_second_targets(const PackedBatch& batch) {
    const auto targets = second_targets(input_of(batch, 1, 0));
    return std::count_if(targets.begin(), targets.end(), [](int32_t t) { return t >= 0; });
  }

  // Throws Error if none of the documents has a token that counts.
  void require_targets(const Packed& packed, const std::string& when) const {
    if (packed.targets > 0) return;
    fail(stage().name,
         "{}: expected tokens that count among its {} documents, found none; {} of them are longer "
         "than data.context, {}, and were cut behind it",
         when, packed.documents, packed.cut, stage().data.context);
  }

  // In the log for each step, to the user once in a stage.
  void tell_cut(const Packed& packed, StepRecord& record) {
    if (packed.cut == 0) return;
    record.values["cut_documents"] =
        static_cast<double>(packed.cut) / static_cast<double>(packed.documents);
    if (std::exchange(data_->cut_told, true)) return;
    observer_.note(fmt::format(
        "{}: {} of the {} documents of step {} are longer than data.context, {}; what goes beyond "
        "is cut off",
        stage().name, packed.cut, packed.documents, record.step, stage().data.context));
  }

  // False if the user wants to stop.
  bool evaluate_if_due() {
    const int64_t every = recipe_.evaluation.every;
    const bool due = every > 0 && data_->held_out != nullptr &&
                     (state().step % every == 0 || state().step == stage_end(state().stage));
    if (!due || keeper_->evaluated()) return true;
    const Clock::time_point start = Clock::now();
    const auto loss = held_out_loss();
    if (!loss) return false;
    EvaluationRecord record;
    record.values["loss"] = *loss;
    keeper_->note_evaluation(start, std::move(record));
    return true;
  }

  // Mean over the targets of the first held-out documents; nothing if the user wants to stop.
  std::optional<double> held_out_loss() {
    double loss = 0;
    Packed packed;
    Packer packer(*data_->held_out, data_->packing);
    while (packer.state().next < static_cast<uint64_t>(recipe_.evaluation.problems)) {
      if (!observer_.go_on()) return std::nullopt;
      const PackedBatch batch = packer.next();
      loss += learner_.pass().evaluate(input_of(batch, 1, 0)).loss;
      packed.add(batch);
    }
    require_targets(packed, "the evaluation");
    return loss / static_cast<double>(packed.targets);
  }

  TrainerOptions options_;
  TrainingObserver& observer_;
  Recipe recipe_;
  Learner learner_;
  std::optional<RunKeeper> keeper_;
  int64_t total_steps_ = 0;
  std::unique_ptr<StageData> data_;
  std::vector<float> weights_;
};

}  // namespace

TrainingEnd train(const fs::path& recipe, const TrainerOptions& options,
                  TrainingObserver& observer) {
  return Trainer(recipe, options, observer).run();
}

}  // namespace minke
