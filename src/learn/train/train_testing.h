#pragma once

// What the tests of this folder train.

#include <string>

#include "learn/data/data_testing.h"
#include "learn/train/trainer.h"
#include "model/formats/write_tokenizer.h"

namespace minke::testing {

// A DeepSeek-V3 with two layers, the second with four experts.
inline constexpr const char* kTinyModel = R"([model]
model_type = "deepseek_v3"
vocab_size = 384
hidden_size = 32
intermediate_size = 64
moe_intermediate_size = 32
num_hidden_layers = 2
num_attention_heads = 2
n_routed_experts = 4
n_shared_experts = 1
num_experts_per_tok = 2
first_k_dense_replace = 1
moe_layer_freq = 1
n_group = 1
topk_group = 1
routed_scaling_factor = 1.0
norm_topk_prob = true
scoring_func = "sigmoid"
topk_method = "noaux_tc"
kv_lora_rank = 32
qk_nope_head_dim = 16
qk_rope_head_dim = 16
v_head_dim = 16
max_position_embeddings = 256
rms_norm_eps = 1e-6
rope_theta = 10000.0
hidden_act = "silu"
tie_word_embeddings = true
)";

// A folder with a tokenizer that was trained on problems, and recipes.
class TinyRuns {
 public:
  TinyRuns() {
    std::filesystem::create_directory(folder_ / "tokenizer");
    BpeTrainer trainer(training_stages(), 1 << 20);
    Rng rng(1);
    for (int i = 0; i < 50; ++i) {
      const Problem p = task_named("sums").make(Language::kEnglish, 1, Split::kTrain, rng);
      trainer.add(p.question + "\n" + p.reasoning + "\n" + p.answer);
    }
    write_tokenizer(training_spec(trainer.train(340), "tiny tokenizer"), folder_ / "tokenizer");
  }

  const TempFolder& folder() const { return folder_; }
  std::filesystem::path run(const std::string& name) const { return folder_ / name; }
  // `more` are further sections; `steps` of the schedule.
  std::filesystem::path recipe(const std::string& name, int steps, const std::string& more) const {
    return folder_.file(
        name + ".toml",
        fmt::format("{}[tokenizer]\npath = \"{}\"\n[data]\ntasks = [\"sums\"]\nlanguages = "
                    "[\"en\"]\ncontext = 256\nbatch_tokens = 512\nmicro_batch_tokens = 256\n"
                    "[run]\noutput = \"{}\"\nthreads = {}\n[schedule]\nsteps = {}\n{}",
                    kTinyModel, (folder_ / "tokenizer").string(), run(name).string(), threads,
                    steps, more));
  }

  int threads = 2;

 private:
  TempFolder folder_;
};

// Keeps what a run tells, and stops it behind a step.
class Recorder : public TrainingObserver {
 public:
  explicit Recorder(int64_t stop_after = -1) : stop_after_(stop_after) {}

  void begin(const Plan& p) override { plan = p; }
  void step(const StepRecord& record) override { steps.push_back(record); }
  void evaluation(const EvaluationRecord& record) override { evaluations.push_back(record); }
  void note(const std::string& text) override { notes.push_back(text); }
  bool go_on() override { return steps.empty() || steps.back().step != stop_after_; }

  Plan plan;
  std::vector<StepRecord> steps;
  std::vector<EvaluationRecord> evaluations;
  std::vector<std::string> notes;

 private:
  int64_t stop_after_;
};

}  // namespace minke::testing
