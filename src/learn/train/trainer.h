#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "base/cpu/isa.h"
#include "learn/train/run_log.h"

namespace minke {

// What is told of a training run while it goes on.
class TrainingObserver {
 public:
  virtual ~TrainingObserver() = default;

  struct Plan {
    int64_t steps = 0;  // of the whole run
    int64_t done = 0;   // by earlier sittings
    SittingRecord sitting;
  };
  virtual void begin(const Plan& plan) = 0;
  virtual void step(const StepRecord& record) = 0;
  virtual void evaluation(const EvaluationRecord& record) = 0;
  // A checkpoint was written, one was passed over.
  virtual void note(const std::string& text) = 0;
  // Asked after each step and within evaluations: false ends the sitting, with a checkpoint. An
  // evaluation that was due or under way is made by the next sitting.
  virtual bool go_on() = 0;
};

// For the log.
struct MachineFacts {
  double peak_flops = 0;  // a second, to tell shares of it; 0: not known
  std::string name = {};
};

struct TrainerOptions {
  Isa isa = Isa::kScalar;  // kernels to use; callers pass chosen_isa()
  // Tells of the machine with so many threads. Asked when a run begins, behind all that may refuse
  // its recipe; may be empty.
  std::function<MachineFacts(int64_t threads)> describe_machine = {};
  std::filesystem::path output = {};  // the run's folder, in place of the recipe's
};

enum class TrainingEnd { kDone, kStopped };

// Runs a recipe, or goes on with what its run's folder holds: the steps are the same bits as those
// of a run that was never interrupted. When all stages are done, the model lies in RUN/model as a
// Hugging Face folder (config.json, model.safetensors in the recipe's precision, the tokenizer); of
// a low-rank adaptation the adapter lies in RUN/adapter as PEFT writes it.
// Throws Error for a recipe that cannot be run, when what a checkpoint was made with has changed,
// for a step or an evaluation without a token that counts, and when the loss is no finite number
// any more: the last checkpoint is from before that.
//
// Values of a step's record (StepRecord::values): cut_documents, the share of its documents that
// were longer than data.context, if it is above 0.
TrainingEnd train(const std::filesystem::path& recipe, const TrainerOptions& options,
                  TrainingObserver& observer);

}  // namespace minke
