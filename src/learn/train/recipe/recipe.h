#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "learn/train/optimizer/optimizer.h"
#include "learn/train/optimizer/schedule.h"
#include "model/formats/metadata.h"

namespace minke {

// What a training run is made of, as a TOML file says it. Every field, its range and its meaning
// stand in recipe_fields.cc, once; docs/recipes.md has the table.

// The model to begin with: a new one by the fields of a Hugging Face config.json, or one that is
// loaded, of whose own fields those of `config` take the place. They are not both empty.
struct ModelRecipe {
  std::string from;             // a Hugging Face folder
  std::string config;           // a JSON object
  std::string place = "model";  // the section's file and line, for errors of its fields

  // The fields of `config`, as those of a config.json; `source` begins their errors.
  Metadata metadata(const std::string& source) const;
};

// One kind of problem in the mixture. Levels {0, 0}: those of the section. A task may come several
// times, with levels that are apart, each with a weight of its own.
struct TaskShare {
  std::string name;
  double weight = 1;
  std::array<int64_t, 2> levels = {0, 0};

  bool operator==(const TaskShare&) const = default;
};

enum class DataForm { kText, kChat };

struct DataRecipe {
  std::vector<TaskShare> tasks;
  std::vector<std::string> shards;    // token files, in place of tasks
  std::vector<std::string> held_out;  // of those, to measure by
  std::vector<std::string> languages = {"ar", "zh", "en", "de", "hi", "id"};
  std::array<int64_t, 2> levels = {1, 1};
  DataForm form = DataForm::kText;
  int64_t seed = 1;
  int64_t context = 512;
  int64_t batch_tokens = 16384;
  int64_t micro_batch_tokens = 4096;
};

// What may differ from one stage of a run to the next.
struct Stage {
  std::string name = "train";
  DataRecipe data;
  OptimizerOptions optimizer;
  double clip = 1;    // largest norm of a step's gradients
  Schedule schedule;  // its peak is optimizer.learning_rate
  double bias_update_speed = 0.001;
  double balance_loss = 0.0001;
  double mtp_weight = 0.3;
};

// How a group of replies is compared, and what a reply's tokens count; learn/rl/objective.h has the
// formulas.
enum class AdvantageKind { kMean, kMeanAndDeviation };
enum class TokenNormalizer { kConstant, kTokens, kReply };

// Reinforcement (minke grpo): where its questions come from, and what becomes of the replies.
struct GrpoRecipe {
  bool given = false;     // the recipe has the section
  std::string questions;  // a file of questions with answers; data.tasks are then for evaluations
  int64_t prompts = 32;
  int64_t group = 16;
  int64_t reply_tokens = 256;
  int64_t slots = 64;
  int64_t updates = 1;
  AdvantageKind advantage = AdvantageKind::kMean;
  TokenNormalizer normalizer = TokenNormalizer::kConstant;
  double clip_low = 0.2, clip_high = 0.28;
  double kl = 0;
  bool mask_cut = true;
  int64_t refill = 3;
  double easy_share = 0.1;
};

// What each rule of learn/rl/rewards.h counts in a reply's reward.
struct RewardWeights {
  double accuracy = 1;
  double format = 0;
  double language = 0;
  double length = 0;
};

enum class TrainingPrecision { kF32, kBF16 };

// Whose weights RUN/model gets: those of the last step, or those that did best in the last stage.
enum class ModelChoice { kLast, kBest };

struct Recipe {
  ModelRecipe model;
  std::string tokenizer;  // a tokenizer.json, or its folder
  TrainingPrecision precision = TrainingPrecision::kBF16;
  struct {
    int64_t rank = 0;  // 0: all weights are trained
    double alpha = 16;
    std::vector<std::string> targets;  // names of modules
  } lora;
  struct {
    int64_t every = 200;  // steps; 0: never
    int64_t problems = 60;
    int64_t patience = 0;  // evaluations of the last stage without a better one; 0: no end by that
  } evaluation;
  struct {
    int64_t every_steps = 0;  // 0: by time alone
    int64_t every_seconds = 600;
    int64_t keep = 2;
    bool keep_best = true;
  } checkpoint;
  struct {
    std::string output;
    int64_t seed = 1;
    int64_t threads = 0;  // 0: all cores
    ModelChoice model = ModelChoice::kLast;
    bool recompute = false;
  } run;
  GrpoRecipe grpo;
  RewardWeights rewards;
  std::vector<Stage> stages;  // at least one; exactly one for reinforcement
};

// Throw Error that names file, line, field, what was expected and what was found. Paths stay as
// they are written; they are not looked at.
Recipe read_recipe(const std::filesystem::path& path);
Recipe parse_recipe(std::string_view toml, const std::string& file);

// The rows of docs/recipes.md, in Markdown.
std::string recipe_field_table();

}  // namespace minke
