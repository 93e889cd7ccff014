#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include "learn/data/encoder.h"
#include "learn/train/expert_balance.h"
#include "learn/train/lora.h"
#include "learn/train/model_parameters.h"
#include "learn/train/pass.h"
#include "learn/train/recipe/recipe.h"
#include "learn/train/run_log.h"
#include "learn/train/run_store.h"
#include "model/families/bundle.h"

namespace minke {

// Whether a model's module of multi-token prediction is trained along, or left out.
enum class PredictionModule { kTrained, kLeftOut };

// A model in training: what it is made of, the passes that give its gradients, and the optimizer
// that changes it. What it learns from is up to who owns it.
class Learner {
 public:
  // The model that the recipe begins with; documents have at most `context` tokens. Throws Error
  // for a recipe that cannot be run.
  Learner(const Recipe& recipe, Isa isa, int64_t context, PredictionModule prediction);

  Model& model() { return *model_; }
  bool predicts() const { return predicts_; }
  const Tokenizer& tokenizer() const { return *tokenizer_; }
  const DocumentEncoder& encoder() const { return encoder_; }
  DType precision() const { return precision_; }
  ThreadPool& pool() { return pool_; }
  Pass& pass() { return pass_; }

  // How a run of this model is told of; the step, the peak and the machine are left to the caller.
  SittingRecord describe();

  // A new optimizer, which has seen nothing.
  void begin(const OptimizerOptions& options);
  // Goes on with a checkpoint; begin() came before. Throws Error as restore_checkpoint().
  void restore(const SavedRun& saved);
  // Throws Error as RunStore::save().
  void save(RunStore& store, const RunState& state, int64_t keep, std::optional<int64_t> best);
  // Brings what the model computes with up to date with the weights: before the first pass.
  void publish();

  void clear_gradients() { parameters_.clear_gradients(pool_); }
  // After the passes of a step: the norm of its gradients, which are clipped to `clip` then.
  double finish_gradients(double clip);
  // Changes the weights by the gradients; steps of a stage are counted from 1.
  void step(double learning_rate, int64_t step_of_stage);
  // Moves the experts' biases; those of a model with an adapter stay as they are.
  void balance(const std::vector<ExpertLoad>& loads, double speed);
  // The name of a weight that is no finite number any more; "" if there is none.
  std::string broken_weight();

  // RUN/model as a Hugging Face folder with the tokenizer's files and, of a model that is trained
  // further, its licence, code and generation defaults; or RUN/adapter as PEFT writes it. Returns
  // what it wrote, for people. Throws Error that names what cannot be written.
  std::string write(const std::filesystem::path& run);

 private:
  std::span<Parameter> trained();
  std::vector<Parameter> kept_tensors();
  int64_t active_parameters();

  const Recipe& recipe_;
  Checkpoint checkpoint_;
  std::unique_ptr<Model> model_;
  bool predicts_;
  std::unique_ptr<Tokenizer> tokenizer_;
  DocumentEncoder encoder_;
  DType precision_;
  ThreadPool pool_;
  ModelParameters parameters_;
  Pass pass_;
  std::unique_ptr<LoraAdapter> lora_;
  std::unique_ptr<Optimizer> optimizer_;
};

// The folder of a run: the caller's, else the recipe's. Throws Error if there is none.
std::filesystem::path run_folder(const Recipe& recipe, const std::filesystem::path& recipe_path,
                                 const std::filesystem::path& chosen);

}  // namespace minke
