#include "learn/train/recipe/recipe.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/core/error.h"
#include "base/core/mapped_file.h"
#include "learn/tasks/task.h"
#include "learn/train/recipe/recipe_reader.h"
#include "model/formats/parse.h"

namespace minke {
namespace {

constexpr uintmax_t kMostBytes = uintmax_t{1} << 20;

std::string names_of(std::span<const Task* const> tasks) {
  std::vector<std::string_view> names;
  for (const Task* task : tasks) names.push_back(task->name());
  return fmt::format("{}", fmt::join(names, ", "));
}

// Errors of task_named() and the like do not know the recipe.
void check_tasks(const DataRecipe& data, const RecipeReader& reader) {
  std::set<std::pair<std::string, int64_t>> seen;  // tasks and levels
  for (const TaskShare& share : data.tasks) {
    const auto tasks = all_tasks();
    const auto task = std::ranges::find(tasks, share.name, &Task::name);
    if (task == tasks.end()) {
      reader.refuse("data", "tasks", fmt::format("names of {}", names_of(tasks)),
                    fmt::format("\"{}\"", printable(share.name)));
    }
    const auto [low, high] = share.levels[0] > 0 ? share.levels : data.levels;
    if (high > (*task)->levels()) {
      reader.refuse("data", share.levels[0] > 0 ? "tasks" : "levels",
                    fmt::format("levels of {} from 1 to {}", share.name, (*task)->levels()),
                    fmt::format("{} to {}", low, high));
    }
    for (int64_t level = low; level <= high; ++level) {
      if (!seen.emplace(share.name, level).second) {
        reader.refuse("data", "tasks", "each level of a task once",
                      fmt::format("level {} of {} twice", level, share.name));
      }
    }
  }
}

// What single fields do not show. `reader` has read the sections of the stage last.
// `other_questions`: a stage of reinforcement may have neither tasks nor shards.
void check_stage(const Stage& stage, const RecipeReader& reader, bool other_questions = false) {
  const DataRecipe& data = stage.data;
  if (data.tasks.empty() == data.shards.empty() && !other_questions) {
    reader.refuse("data", "tasks", "either tasks or shards",
                  data.tasks.empty() ? "none of them" : "both");
  }
  check_tasks(data, reader);
  if (data.languages.empty()) reader.refuse("data", "languages", "at least one", "none");
  if (data.micro_batch_tokens % data.context != 0) {
    reader.refuse("data", "micro_batch_tokens",
                  fmt::format("a multiple of the context, {}", data.context),
                  std::to_string(data.micro_batch_tokens));
  }
  if (!other_questions && data.batch_tokens % data.micro_batch_tokens != 0) {
    reader.refuse("data", "batch_tokens",
                  fmt::format("a multiple of micro_batch_tokens, {}", data.micro_batch_tokens),
                  std::to_string(data.batch_tokens));
  }
  if (stage.schedule.steps < 1) reader.refuse("schedule", "steps", "how many", "none");
  if (stage.schedule.warmup_steps > stage.schedule.steps) {
    reader.refuse("schedule", "warmup_steps",
                  fmt::format("at most the {} steps of the stage", stage.schedule.steps),
                  std::to_string(stage.schedule.warmup_steps));
  }
}

void check_run(const Recipe& recipe, const RecipeReader& reader) {
  if (recipe.model.from.empty() && recipe.model.config.empty()) {
    reader.refuse("model", "from", "a model to train further or the fields of a new one",
                  "none of them");
  }
  if (recipe.lora.rank > 0 && recipe.model.from.empty()) {
    reader.refuse("lora", "rank", "0 without model.from, whose weights an adapter adds to",
                  std::to_string(recipe.lora.rank));
  }
  if (recipe.lora.rank > 0 && !recipe.model.config.empty()) {
    reader.refuse("lora", "rank",
                  "0 where fields of model.from are replaced, which an adapter cannot hold",
                  std::to_string(recipe.lora.rank));
  }
  if (recipe.tokenizer.empty() && recipe.model.from.empty()) {
    reader.refuse("tokenizer", "path", "a tokenizer for the new model", "none");
  }
  if (recipe.checkpoint.every_steps == 0 && recipe.checkpoint.every_seconds == 0) {
    reader.refuse("checkpoint", "every_seconds", "checkpoints by steps or by time", "none of them");
  }
}

// `last`: the stage that decides when a run ends and which weights are the best.
void check_choices(const Recipe& recipe, const Stage& last, const RecipeReader& reader) {
  const bool best = recipe.run.model == ModelChoice::kBest;
  if (!best && recipe.evaluation.patience == 0) return;
  const std::string_view why = best ? "run.model = \"best\"" : "evaluation.patience";
  if (recipe.evaluation.every == 0) {
    reader.refuse("evaluation", "every", fmt::format("evaluations for {}", why), "none");
  }
  const bool measured =
      last.data.shards.empty() ? !last.data.tasks.empty() : !last.data.held_out.empty();
  if (!measured) {
    reader.refuse("data", recipe.grpo.given ? "tasks" : "held_out",
                  fmt::format("something to measure the last stage by, for {}", why), "none");
  }
  if (best && !recipe.checkpoint.keep_best) {
    reader.refuse("checkpoint", "keep_best", fmt::format("true for {}", why), "false");
  }
}

void check_grpo(const Recipe& recipe, const Stage& stage, const RecipeReader& reader) {
  const GrpoRecipe& grpo = recipe.grpo;
  if (grpo.questions.empty() && stage.data.tasks.empty()) {
    reader.refuse("grpo", "questions", "a file of questions, or data.tasks", "none of them");
  }
  if (!stage.data.shards.empty()) {
    reader.refuse("data", "shards", "tasks or grpo.questions", "files of tokens");
  }
  if (grpo.reply_tokens >= stage.data.context) {
    reader.refuse("grpo", "reply_tokens",
                  fmt::format("fewer than the context, {}", stage.data.context),
                  std::to_string(grpo.reply_tokens));
  }
  if (grpo.updates > grpo.prompts) {
    reader.refuse("grpo", "updates", fmt::format("at most the prompts, {}", grpo.prompts),
                  std::to_string(grpo.updates));
  }
  const RewardWeights& r = recipe.rewards;
  if (r.accuracy + r.format + r.language + r.length == 0) {
    reader.refuse("rewards", "accuracy", "a weight above 0 of at least one rule", "none");
  }
}

// The one without schedule that a new file begins with: `steps` has no default.
Stage first_stage(bool reinforcement) {
  Stage stage;
  stage.schedule.steps = 0;
  if (!reinforcement) return stage;
  // The gradient of a step's rewards is mostly noise, which AdamW and Muon make full steps of:
  // small ones, averaged for long. The experts' balance is what the model was trained to.
  stage.optimizer.kind = OptimizerKind::kAdamW;
  stage.optimizer.beta2 = 0.99;
  stage.optimizer.weight_decay = 0;
  stage.schedule.peak = 3e-5;
  stage.bias_update_speed = 0;
  return stage;
}

// `outer`, read by `outer_reader`: what stages do not say themselves.
void read_stages(const toml::node& node, const std::string& file, const Stage& outer,
                 const RecipeReader& outer_reader, std::vector<Stage>& stages) {
  const toml::array* list = node.as_array();
  if (list == nullptr || list->empty() || !list->is_homogeneous<toml::table>()) {
    fail(place_of(node, file), "stage: expected tables [[stage]], found {}", describe_toml(node));
  }
  for (const toml::node& item : *list) {
    const toml::table& table = *item.as_table();
    RecipeReader reader(table, file, fmt::format("stage[{}].", stages.size() + 1), &outer_reader);
    Stage stage = outer;
    visit_stage_sections(reader, stage);
    reader.require_known_sections({"name"});
    stage.name = fmt::format("stage {}", stages.size() + 1);
    if (const toml::node* name = table.get("name")) {
      const auto* text = name->as_string();
      if (text == nullptr) {
        fail(place_of(*name, file), "stage.name: expected text, found {}", describe_toml(*name));
      }
      stage.name = text->get();
    }
    check_stage(stage, reader);
    stages.push_back(std::move(stage));
  }
}

Recipe from_tree(const toml::table& root, const std::string& file) {
  Recipe recipe;
  RecipeReader reader(root, file, "");
  visit_run_sections(reader, recipe);
  if (const toml::node* model = root.get("model")) {
    recipe.model.place = place_of(*model, file) + ": model";
  }
  recipe.grpo.given = root.contains("grpo");
  Stage outer = first_stage(recipe.grpo.given);
  visit_stage_sections(reader, outer);
  reader.require_known_sections({"stage"});
  check_run(recipe, reader);
  const toml::node* stages = root.get("stage");
  if (stages != nullptr && !recipe.grpo.given) {
    read_stages(*stages, file, outer, reader, recipe.stages);
  } else {
    if (stages != nullptr) {
      fail(place_of(*stages, file), "stage: expected none in a recipe of reinforcement, found {}",
           describe_toml(*stages));
    }
    check_stage(outer, reader, recipe.grpo.given);
    if (recipe.grpo.given) check_grpo(recipe, outer, reader);
    recipe.stages.push_back(std::move(outer));
  }
  check_choices(recipe, recipe.stages.back(), reader);
  return recipe;
}

}  // namespace

Metadata ModelRecipe::metadata(const std::string& source) const {
  Metadata metadata(source);
  flatten_json(JsonDocument::parse(config, source), "", metadata);
  return metadata;
}

Recipe read_recipe(const std::filesystem::path& path) {
  std::error_code unknown;
  const uintmax_t bytes = std::filesystem::file_size(path, unknown);
  if (!unknown && bytes > kMostBytes) {
    fail(path.string(), "expected a recipe of at most {} bytes, found {}", kMostBytes, bytes);
  }
  return parse_recipe(read_text_file(path), path.string());
}

Recipe parse_recipe(std::string_view text, const std::string& file) {
  try {
    return from_tree(toml::parse(text, file), file);
  } catch (const toml::parse_error& error) {
    fail(place_of(error.source(), file), "not valid TOML: {}", printable(error.description(), 200));
  }
}

}  // namespace minke
