#include "learn/train/trainer.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/core/error.h"
#include "base/core/mapped_file.h"
#include "base/cpu/topology.h"
#include "learn/data/packing.h"
#include "learn/train/expert_balance.h"
#include "learn/train/lora.h"
#include "learn/train/model_folder.h"
#include "learn/train/pass.h"
#include "learn/train/recipe/recipe.h"
#include "learn/train/run_store.h"
#include "learn/train/stage_data.h"
#include "model/families/active_bytes.h"
#include "model/families/bundle.h"
#include "model/formats/open_checkpoint.h"

namespace minke {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

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

// The folder of the tokenizer's files, which go with the model in the end. `path`: it, or
// tokenizer.json itself.
fs::path tokenizer_folder(const Recipe& recipe) {
  const fs::path path = recipe.tokenizer.empty() ? recipe.model.from : recipe.tokenizer;
  if (fs::is_directory(path)) return path;
  if (path.filename() != "tokenizer.json" || !fs::exists(path)) {
    fail(path.string(), "expected tokenizer.json or a folder with one, found {}",
         fs::exists(path) ? "another file" : "nothing there");
  }
  return path.has_parent_path() ? path.parent_path() : ".";
}

fs::path run_folder(const Recipe& recipe, const fs::path& recipe_path,
                    const TrainerOptions& options) {
  if (!options.output.empty()) return options.output;
  if (!recipe.run.output.empty()) return recipe.run.output;
  fail(recipe_path.string(),
       "run.output: expected the folder of the run, here or as --output, "
       "found none");
}

// A model to train: a new one by the recipe's fields, or one from files.
struct StartingModel {
  explicit StartingModel(const Recipe& recipe)
      : checkpoint(recipe.model.from.empty()
                       ? Checkpoint(Naming::kHuggingFace, recipe.model.metadata("model"))
                       : open_checkpoint(recipe.model.from)),
        model(recipe.model.from.empty() ? make_model(checkpoint)
                                        : load_model(checkpoint, /*prediction=*/true)) {
    predicts = recipe.model.from.empty() ? model->add_prediction() : model->predicts();
  }

  Checkpoint checkpoint;
  std::unique_ptr<Model> model;
  bool predicts = false;  // has a module of multi-token prediction
};

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
};

class Trainer {
 public:
  Trainer(const fs::path& recipe_path, const TrainerOptions& options, TrainingObserver& observer)
      : options_(options),
        observer_(observer),
        recipe_(read_recipe(recipe_path)),
        start_(recipe_),
        tokenizer_(load_tokenizer(tokenizer_folder(recipe_))),
        encoder_(*tokenizer_),
        precision_(recipe_.precision == TrainingPrecision::kBF16 ? DType::kBF16 : DType::kF32),
        pool_(recipe_.run.threads > 0 ? static_cast<int>(recipe_.run.threads) : usable_cores()),
        parameters_(*start_.model, precision_, recipe_.lora.rank > 0),
        pass_(*start_.model, pool_, options.isa, precision_, longest_context()) {
    const std::string& from = recipe_.model.from;
    if (!from.empty() && !fs::is_directory(from)) {
      fail(from, "model.from: expected a Hugging Face folder (minke convert makes one)");
    }
    if (tokenizer_->size() > start_.model->facts().vocab) {
      fail(recipe_.tokenizer, "has {} ids, the model only {}", tokenizer_->size(),
           start_.model->facts().vocab);
    }
    // Mistakes in a later stage are found before the first one is computed.
    for (const Stage& stage : recipe_.stages) {
      stage_documents(stage.data, encoder_, Split::kTrain);
      if (!stage.data.held_out.empty()) stage_documents(stage.data, encoder_, Split::kHeldOut);
      total_steps_ += stage.schedule.steps;
    }
    if (recipe_.model.from.empty()) {
      parameters_.initialize(static_cast<uint64_t>(recipe_.run.seed), start_.model->facts().layers);
    }
    if (recipe_.lora.rank > 0) {
      lora_ = std::make_unique<LoraAdapter>(
          parameters_, LoraOptions{recipe_.lora.rank, recipe_.lora.alpha, recipe_.lora.targets},
          static_cast<uint64_t>(recipe_.run.seed));
    }
    parameters_.track(pass_.tape());
    flops_per_token_ = 6 * active_parameters();
    // Last, so that a recipe that cannot be run leaves no folder that insists on it.
    store_.emplace(run_folder(recipe_, recipe_path, options), read_text_file(recipe_path));
  }

  TrainingEnd run() {
    resume();
    RunLog log(store_->log_path(), state_.step);
    log_ = &log;
    const SittingRecord sitting = sitting_record();
    log.append(sitting);
    observer_.begin({total_steps_, state_.step, sitting});
    parameters_.publish(pool_, pass_.kernels());
    if (lora_ != nullptr) lora_->publish(pool_, pass_.kernels());
    saved_at_ = Clock::now();
    if (state_.step == 0) evaluate_if_due();
    while (state_.step < total_steps_) {
      if (stage_end(state_.stage) == state_.step) begin_stage(state_.stage + 1);
      step();
      evaluate_if_due();
      const bool go_on = observer_.go_on();
      save_if_due(!go_on);
      if (!go_on && state_.step < total_steps_) return TrainingEnd::kStopped;
    }
    write_model();
    return TrainingEnd::kDone;
  }

 private:
  const Stage& stage() const { return recipe_.stages[static_cast<size_t>(state_.stage)]; }
  // The last step of a stage; 0 before the first stage.
  int64_t stage_end(int64_t index) const {
    int64_t end = 0;
    for (int64_t i = 0; i <= index; ++i) {
      end += recipe_.stages[static_cast<size_t>(i)].schedule.steps;
    }
    return end;
  }
  int64_t longest_context() const {
    int64_t longest = 0;
    for (const Stage& s : recipe_.stages) longest = std::max(longest, s.data.context);
    const int64_t most = start_.model->facts().context_length;
    if (longest > most) {
      fail("data.context", "expected at most {} for this model, found {}", most, longest);
    }
    return longest;
  }
  double active_parameters() {
    const ActiveWeightCount count = active_weight_count(*start_.model);
    return static_cast<double>(count.layers + count.head);
  }

  // What the optimizer changes.
  std::span<Parameter> trained() {
    return lora_ != nullptr ? lora_->parameters() : parameters_.parameters();
  }
  // What checkpoints hold: that, and the biases that balance the experts.
  std::vector<Parameter> kept_tensors() {
    std::vector<Parameter> tensors(trained().begin(), trained().end());
    for (const SelectionBias& bias : parameters_.selection_biases()) {
      tensors.push_back({bias.name, ParameterRole::kVector, bias.values, {}});
    }
    return tensors;
  }
  void publish() {
    if (lora_ != nullptr) {
      lora_->publish(pool_, pass_.kernels());
    } else {
      parameters_.publish(pool_, pass_.kernels());
    }
  }

  void resume() {
    const auto saved =
        latest_checkpoint(store_->folder(), [&](const std::string& text) { observer_.note(text); });
    if (!saved) return open_stage({});
    state_ = saved->state;
    const auto stages = static_cast<int64_t>(recipe_.stages.size());
    if (state_.stage >= stages || state_.step > stage_end(state_.stage) ||
        state_.step <= stage_end(state_.stage - 1)) {
      fail(saved->folder.string(),
           "expected a step of the recipe's {} stages, found {} in stage {}", stages, state_.step,
           state_.stage);
    }
    open_stage(cursor_of(state_, saved->folder));
    std::vector<Parameter> tensors = kept_tensors();
    restore_checkpoint(*saved, tensors, *optimizer_);
  }

  // An optimizer forgets the stage before: its sums of gradients are of other data.
  void begin_stage(int64_t index) {
    state_.stage = index;
    open_stage({});
  }

  void open_stage(const PackingState& state) {
    optimizer_ = make_optimizer(stage().optimizer, pass_.kernels(), trained());
    data_ = std::make_unique<StageData>(stage(), encoder_, state);
  }

  SittingRecord sitting_record() {
    SittingRecord r;
    r.step = state_.step;
    r.threads = pool_.size();
    r.parameters = parameters_.count();
    r.active_parameters = static_cast<int64_t>(active_parameters());
    r.flops_per_token = flops_per_token_;
    r.peak_flops = options_.peak_flops;
    r.machine = options_.machine;
    return r;
  }

  void step() {
    const Clock::time_point start = Clock::now();
    std::vector<PackedBatch> batches;
    int64_t targets = 0, tokens = 0, second = 0;
    for (int64_t left = stage().data.batch_tokens; left > 0;
         left -= stage().data.micro_batch_tokens) {
      batches.push_back(data_->packer.next());
      targets += batches.back().loss_targets;
      tokens += batches.back().filled;
      second += count_second_targets(batches.back());
    }
    const double prediction =
        start_.predicts && second > 0 ? stage().mtp_weight / static_cast<double>(second) : 0;
    parameters_.clear_gradients(pool_);
    double loss = 0;
    std::vector<ExpertLoad> loads;
    for (const PackedBatch& batch : batches) {
      PassInput input = input_of(batch, targets, stage().balance_loss);
      input.prediction = static_cast<float>(prediction);
      loss += pass_.train(input).loss;
      add_loads(pass_.tape().loads, loads);
    }
    if (lora_ != nullptr) lora_->collect_gradients(pool_, pass_.kernels());
    StepRecord record;
    record.step = state_.step + 1;
    record.stage = state_.stage;
    record.tokens = state_.tokens + tokens;
    record.loss = loss;
    record.gradient_norm = clip_gradients(pool_, trained(), stage().clip);
    require_finite(record);
    const int64_t step_of_stage = record.step - stage_end(state_.stage - 1);
    record.learning_rate = stage().schedule.learning_rate(step_of_stage);
    optimizer_->step(pool_, trained(), {record.learning_rate, step_of_stage});
    publish();
    for (const ExpertLoad& load : loads) record.expert_load.push_back(busiest_over_mean(load));
    // With an adapter the model stays as it is.
    if (lora_ == nullptr) {
      update_biases(loads, stage().bias_update_speed, parameters_.selection_biases());
    }
    finish_step(start, tokens, record);
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

  void require_finite(const StepRecord& record) const {
    if (std::isfinite(record.loss) && std::isfinite(record.gradient_norm)) return;
    fail(store_->folder().string(),
         "step {}: the loss is {} and the gradients' norm {}; the last checkpoint is from before "
         "that; a lower learning rate may help",
         record.step, record.loss, record.gradient_norm);
  }

  // A checkpoint that nothing can come of would push out those that are good.
  void require_finite_weights() {
    for (const Parameter& p : trained()) {
      const std::span values(p.master.f32(), static_cast<size_t>(p.master.shape.elements()));
      if (std::ranges::all_of(values, [](float v) { return std::isfinite(v); })) continue;
      fail(store_->folder().string(),
           "step {}: {} is no finite number any more; the last checkpoint is from before that; a "
           "lower learning rate may help",
           state_.step, p.name);
    }
  }

  void finish_step(Clock::time_point start, int64_t tokens, StepRecord& record) {
    record.seconds = seconds_since(start);
    record.tokens_per_second = static_cast<double>(tokens) / record.seconds;
    if (options_.peak_flops > 0) {
      record.percent_of_peak =
          100 * record.tokens_per_second * flops_per_token_ / options_.peak_flops;
    }
    state_.step = record.step;
    state_.tokens = record.tokens;
    state_.seconds += record.seconds;
    state_.cursor = cursor_json(data_->packer.state());
    log_->append(record);
    observer_.step(record);
  }

  void evaluate_if_due() {
    const int64_t every = recipe_.evaluation.every;
    const bool last = state_.step == stage_end(state_.stage);
    if (every == 0 || data_->held_out == nullptr || (state_.step % every != 0 && !last)) return;
    const Clock::time_point start = Clock::now();
    EvaluationRecord record;
    record.step = state_.step;
    record.tokens = state_.tokens;
    record.values["loss"] = held_out_loss();
    state_.score = record.values["loss"];
    state_.seconds += seconds_since(start);
    log_->append(record);
    observer_.evaluation(record);
  }

  // Mean over the targets of the first held-out documents.
  double held_out_loss() {
    double loss = 0;
    int64_t targets = 0;
    Packer packer(*data_->held_out, data_->packing);
    while (packer.state().next < static_cast<uint64_t>(recipe_.evaluation.problems)) {
      const PackedBatch batch = packer.next();
      loss += pass_.evaluate(input_of(batch, 1, 0)).loss;
      targets += batch.loss_targets;
    }
    return loss / static_cast<double>(std::max<int64_t>(targets, 1));
  }

  void save_if_due(bool now) {
    const int64_t steps = recipe_.checkpoint.every_steps;
    const int64_t seconds = recipe_.checkpoint.every_seconds;
    now = now || state_.step == total_steps_ || (steps > 0 && state_.step % steps == 0) ||
          (seconds > 0 && seconds_since(saved_at_) >= static_cast<double>(seconds));
    if (!now) return;
    require_finite_weights();
    log_->sync();
    store_->save(state_, kept_tensors(), *optimizer_, recipe_.checkpoint.keep,
                 recipe_.checkpoint.keep_best);
    saved_at_ = Clock::now();
    observer_.note(fmt::format("checkpoint of step {} written", state_.step));
  }

  void write_model() {
    if (lora_ != nullptr) {
      lora_->write(store_->folder() / "adapter", recipe_.model.from);
      observer_.note(fmt::format("{}: the adapter", (store_->folder() / "adapter").string()));
      return;
    }
    const fs::path folder = store_->folder() / "model";
    const std::string text = recipe_.model.from.empty()
                                 ? recipe_.model.config
                                 : read_text_file(fs::path(recipe_.model.from) / "config.json");
    auto config = nlohmann::ordered_json::parse(text);
    config["bos_token_id"] = tokenizer_->bos().value();
    config["eos_token_id"] = tokenizer_->eos().value();
    write_model_folder(config.dump(), parameters_, precision_, folder);
    const fs::path from = tokenizer_folder(recipe_);
    for (const char* name : {"tokenizer.json", "tokenizer_config.json"}) {
      if (!fs::exists(from / name)) continue;  // the second need not be there
      std::error_code error;
      fs::copy_file(from / name, folder / name, fs::copy_options::overwrite_existing, error);
      if (error) fail((from / name).string(), "cannot copy: {}", error.message());
    }
    observer_.note(fmt::format("{}: the trained model", folder.string()));
  }

  TrainerOptions options_;
  TrainingObserver& observer_;
  Recipe recipe_;
  StartingModel start_;
  std::unique_ptr<Tokenizer> tokenizer_;
  DocumentEncoder encoder_;
  DType precision_;
  ThreadPool pool_;
  ModelParameters parameters_;
  Pass pass_;
  std::unique_ptr<LoraAdapter> lora_;
  std::optional<RunStore> store_;
  int64_t total_steps_ = 0;
  double flops_per_token_ = 0;
  RunState state_;
  std::unique_ptr<Optimizer> optimizer_;
  std::unique_ptr<StageData> data_;
  RunLog* log_ = nullptr;
  std::vector<float> weights_;
  Clock::time_point saved_at_;
};

}  // namespace

TrainingEnd train(const fs::path& recipe, const TrainerOptions& options,
                  TrainingObserver& observer) {
  return Trainer(recipe, options, observer).run();
}

}  // namespace minke
