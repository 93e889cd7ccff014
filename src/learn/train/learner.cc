#include "learn/train/learner.h"

#include <algorithm>
#include <cmath>

#include <nlohmann/json.hpp>

#include "base/core/error.h"
#include "base/core/mapped_file.h"
#include "base/cpu/topology.h"
#include "learn/train/model_folder.h"
#include "learn/train/recipe/model_fields.h"
#include "learn/train/run_inputs.h"
#include "model/convert/folder_files.h"
#include "model/families/active_bytes.h"
#include "model/formats/open_checkpoint.h"

namespace minke {
namespace {

namespace fs = std::filesystem;

// Whether a field of the model that the recipe begins with is to be forgotten: the recipe has it,
// or the other of the two that say how positions are scaled.
bool is_replaced(const nlohmann::json& fields, std::string_view name) {
  return fields.contains(name) || (name == "rope_scaling" && fields.contains("rope_parameters"));
}

// The fields of the recipe take the place of the model's own, objects as a whole.
void replace_fields(const ModelRecipe& recipe, Metadata& metadata) {
  const auto fields = nlohmann::json::parse(recipe.config);
  Metadata merged = recipe.metadata(metadata.source());
  for (const auto& [key, value] : metadata.values()) {
    if (!is_replaced(fields, key.substr(0, key.find('.')))) merged.set(key, value);
  }
  metadata = std::move(merged);
}

Checkpoint starting_checkpoint(const Recipe& recipe) {
  const std::string& from = recipe.model.from;
  if (from.empty()) return {Naming::kHuggingFace, recipe.model.metadata(recipe.model.place)};
  if (!fs::is_directory(from)) {
    fail(from, "model.from: expected a Hugging Face folder, found {}",
         fs::exists(from) ? "a file (minke convert makes a folder of one)" : "nothing there");
  }
  Checkpoint checkpoint = open_checkpoint(from);
  if (!recipe.model.config.empty()) replace_fields(recipe.model, checkpoint.metadata());
  return checkpoint;
}

// The config.json of the model that is trained.
nlohmann::ordered_json starting_config(const ModelRecipe& model) {
  if (model.from.empty()) return nlohmann::ordered_json::parse(model.config);
  auto config = nlohmann::ordered_json::parse(read_text_file(fs::path(model.from) / "config.json"));
  if (model.config.empty()) return config;
  const auto fields = nlohmann::ordered_json::parse(model.config);
  if (is_replaced(fields, "rope_scaling")) config.erase("rope_scaling");
  config.update(fields);
  return config;
}

std::unique_ptr<Model> starting_model(const Recipe& recipe, const Checkpoint& checkpoint,
                                      PredictionModule prediction) {
  std::unique_ptr<Model> model =
      recipe.model.from.empty() ? make_model(checkpoint)
                                : load_model(checkpoint, prediction == PredictionModule::kTrained);
  check_model_fields(recipe.model, *model);
  return model;
}

int64_t checked_context(const Model& model, int64_t context) {
  const int64_t most = model.facts().context_length;
  if (context > most) {
    fail("data.context", "expected at most {} for this model, found {}", most, context);
  }
  return context;
}

}  // namespace

Learner::Learner(const Recipe& recipe, Isa isa, int64_t context, PredictionModule prediction)
    : recipe_(recipe),
      checkpoint_(starting_checkpoint(recipe)),
      model_(starting_model(recipe, checkpoint_, prediction)),
      predicts_(prediction == PredictionModule::kTrained &&
                (recipe.model.from.empty() ? model_->add_prediction() : model_->predicts())),
      tokenizer_(load_tokenizer(tokenizer_folder(recipe))),
      encoder_(*tokenizer_),
      precision_(recipe.precision == TrainingPrecision::kBF16 ? DType::kBF16 : DType::kF32),
      pool_(recipe.run.threads > 0 ? static_cast<int>(recipe.run.threads) : usable_cores()),
      parameters_(*model_, precision_, recipe.lora.rank > 0),
      pass_(*model_, pool_, isa, precision_, checked_context(*model_, context)) {
  if (tokenizer_->size() > model_->facts().vocab) {
    fail(tokenizer_->spec().source, "has {} ids, the model only {}", tokenizer_->size(),
         model_->facts().vocab);
  }
  const auto seed = static_cast<uint64_t>(recipe.run.seed);
  if (recipe.model.from.empty()) parameters_.initialize(seed, model_->facts().layers);
  if (recipe.lora.rank > 0) {
    const LoraOptions options{recipe.lora.rank, recipe.lora.alpha, recipe.lora.targets};
    lora_ = std::make_unique<LoraAdapter>(parameters_, options, seed);
  }
  parameters_.track(pass_.tape());
  pass_.tape().recompute = recipe.run.recompute;
}

int64_t Learner::active_parameters() {
  const ActiveWeightCount count = active_weight_count(*model_);
  return count.layers + count.head;
}

SittingRecord Learner::describe() {
  SittingRecord record;
  record.threads = pool_.size();
  record.parameters = parameters_.count();
  record.active_parameters = active_parameters();
  record.flops_per_token = 6 * static_cast<double>(active_parameters());
  return record;
}

std::span<Parameter> Learner::trained() {
  return lora_ != nullptr ? lora_->parameters() : parameters_.parameters();
}

// What checkpoints hold: what is trained, and the biases that balance the experts.
std::vector<Parameter> Learner::kept_tensors() {
  std::vector<Parameter> tensors(trained().begin(), trained().end());
  for (const SelectionBias& bias : parameters_.selection_biases()) {
    tensors.push_back({bias.name, ParameterRole::kVector, bias.values, {}});
  }
  return tensors;
}

void Learner::begin(const OptimizerOptions& options) {
  optimizer_ = make_optimizer(options, pass_.kernels(), trained());
}

void Learner::restore(const SavedRun& saved) {
  std::vector<Parameter> tensors = kept_tensors();
  restore_checkpoint(saved, tensors, *optimizer_);
}

void Learner::save(RunStore& store, const RunState& state, int64_t keep,
                   std::optional<int64_t> best) {
  store.save(state, kept_tensors(), *optimizer_, keep, best);
}

void Learner::publish() {
  parameters_.publish(pool_, pass_.kernels());
  if (lora_ != nullptr) lora_->publish(pool_, pass_.kernels());
}

double Learner::finish_gradients(double clip) {
  if (lora_ != nullptr) lora_->collect_gradients(pool_, pass_.kernels());
  return clip_gradients(pool_, trained(), clip);
}

void Learner::step(double learning_rate, int64_t step_of_stage) {
  optimizer_->step(pool_, trained(), {learning_rate, step_of_stage});
  // What an adapter adds to stays as it is.
  if (lora_ != nullptr) {
    lora_->publish(pool_, pass_.kernels());
  } else {
    parameters_.publish(pool_, pass_.kernels());
  }
}

void Learner::balance(const std::vector<ExpertLoad>& loads, double speed) {
  if (lora_ == nullptr) update_biases(loads, speed, parameters_.selection_biases());
}

std::string Learner::broken_weight() {
  for (const Parameter& p : trained()) {
    const std::span values(p.master.f32(), static_cast<size_t>(p.master.shape.elements()));
    if (!std::ranges::all_of(values, [](float v) { return std::isfinite(v); })) return p.name;
  }
  return "";
}

std::string Learner::write(const fs::path& run) {
  if (lora_ != nullptr) {
    lora_->write(run / "adapter", recipe_.model.from);
    return fmt::format("{}: the adapter", (run / "adapter").string());
  }
  const fs::path folder = run / "model";
  auto config = starting_config(recipe_.model);
  if (const auto bos = tokenizer_->bos()) config["bos_token_id"] = *bos;
  config["eos_token_id"] = tokenizer_->eos().value();
  if (!predicts_ && config.contains("num_nextn_predict_layers")) {
    config["num_nextn_predict_layers"] = 0;
  }
  write_model_folder(config.dump(), parameters_, precision_, folder);
  const fs::path tokenizer = tokenizer_folder(recipe_), from = recipe_.model.from;
  copy_folder_files(tokenizer, folder, {FolderPart::kTokenizer});
  if (!from.empty()) copy_folder_files(from, folder, {FolderPart::kCode, FolderPart::kLicense});
  // The defaults name ids of their tokenizer.
  if (!from.empty() && fs::equivalent(tokenizer, from)) {
    copy_folder_files(from, folder, {FolderPart::kGeneration});
  }
  return fmt::format("{}: the trained model", folder.string());
}

fs::path run_folder(const Recipe& recipe, const fs::path& recipe_path, const fs::path& chosen) {
  if (!chosen.empty()) return chosen;
  if (!recipe.run.output.empty()) return recipe.run.output;
  fail(recipe_path.string(),
       "run.output: expected the folder of the run, here or as --output, found none");
}

}  // namespace minke
