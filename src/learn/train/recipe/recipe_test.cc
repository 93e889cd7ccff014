#include "learn/train/recipe/recipe.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include "base/core/error.h"
#include "base/core/mapped_file.h"
#include "learn/tasks/task.h"

namespace minke {
namespace {

const std::filesystem::path kRoot = std::filesystem::path(MINKE_GOLDEN_DIR) / "../..";

constexpr const char* kLeast = R"([model]
hidden_size = 64
[tokenizer]
path = "t.json"
[data]
tasks = ["sums"]
[schedule]
steps = 10
)";

std::string error_of(const std::string& text) {
  try {
    parse_recipe(text, "r.toml");
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

// The error of the least recipe with `more` behind it.
std::string error_with(const std::string& more) {
  return error_of(kLeast + more);
}

TEST(Recipe, LeastRecipeHasDefaults) {
  const Recipe recipe = parse_recipe(kLeast, "r.toml");
  ASSERT_EQ(recipe.stages.size(), 1u);
  const Stage& stage = recipe.stages[0];
  EXPECT_EQ(stage.name, "train");
  EXPECT_EQ(stage.data.tasks, std::vector<TaskShare>{{.name = "sums"}});
  EXPECT_EQ(stage.data.languages.size(), 6u);
  EXPECT_EQ(stage.schedule.steps, 10);
  EXPECT_EQ(stage.optimizer.kind, OptimizerKind::kMuon);
  EXPECT_EQ(recipe.model.metadata("r").integer("hidden_size"), 64);
}

TEST(Recipe, ExampleHasTwoStagesThatShareTheRest) {
  const Recipe recipe = read_recipe(kRoot / "recipes/example.toml");
  ASSERT_EQ(recipe.stages.size(), 2u);
  const Stage& first = recipe.stages[0];
  const Stage& second = recipe.stages[1];
  EXPECT_EQ(first.name, "pretrain");
  EXPECT_EQ(second.name, "sft");
  EXPECT_EQ(first.data.form, DataForm::kText);
  EXPECT_EQ(second.data.form, DataForm::kChat);
  EXPECT_EQ(second.data.context, 256);
  EXPECT_EQ(first.data.tasks, (std::vector<TaskShare>{{"sums", 2.0, {1, 3}}}));
  EXPECT_EQ(second.data.tasks, first.data.tasks);
  EXPECT_EQ(first.schedule.peak, 3e-3);
  EXPECT_EQ(second.schedule.peak, 3e-4);
  EXPECT_EQ(second.schedule.kind, ScheduleKind::kWsd);
  EXPECT_EQ(second.schedule.steps, 100);
  EXPECT_EQ(second.mtp_weight, 0.1);
  EXPECT_EQ(recipe.checkpoint.every_seconds, 120);
  const Metadata model = recipe.model.metadata("example");
  EXPECT_EQ(model.text("model_type"), "deepseek_v3");
  EXPECT_EQ(model.number("routed_scaling_factor"), 2.5);
  EXPECT_EQ(model.flag("tie_word_embeddings"), true);
  EXPECT_FALSE(model.has("from"));
}

TEST(Recipe, ModelsConfigKeepsNestedFields) {
  const Recipe recipe = parse_recipe(
      std::string(kLeast) + "[model.rope_scaling]\ntype = \"yarn\"\nfactor = 4.0\n", "r.toml");
  const Metadata model = recipe.model.metadata("r");
  EXPECT_EQ(model.text("rope_scaling.type"), "yarn");
  EXPECT_EQ(model.number("rope_scaling.factor"), 4.0);
}

TEST(Recipe, EveryRecipeOfTheProjectIsRead) {
  int read = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kRoot / "recipes")) {
    EXPECT_NO_THROW(read_recipe(entry.path())) << entry.path();
    ++read;
  }
  EXPECT_GE(read, 6);
  const Recipe stretched = read_recipe(kRoot / "recipes/minke-micro-long.toml");
  EXPECT_FALSE(stretched.model.from.empty());
  const Metadata fields = stretched.model.metadata("long");
  EXPECT_EQ(fields.text("rope_scaling.type"), "yarn");
  EXPECT_EQ(fields.integer("max_position_embeddings"), stretched.stages[0].data.context);
}

TEST(Recipe, FineTuningNeedsNoTokenizer) {
  const Recipe recipe = parse_recipe(
      "model.from = \"m.gguf\"\ndata.shards = [\"a.bin\"]\nschedule.steps = 1\n[lora]\nrank = 8\n",
      "r.toml");
  EXPECT_EQ(recipe.model.from, "m.gguf");
  EXPECT_TRUE(recipe.model.config.empty());
  EXPECT_EQ(recipe.lora.rank, 8);
}

TEST(Recipe, TellsLineFieldExpectedAndFound) {
  EXPECT_EQ(
      error_with("[optimizer]\nmomentum = \"big\"\n"),
      "r.toml: line 10: optimizer.momentum: expected a number from 0 to 0.999999, found \"big\"");
  EXPECT_EQ(error_with("[optimizer]\n\nkind = \"sgd\"\n"),
            "r.toml: line 11: optimizer.kind: expected one of adamw, muon, found \"sgd\"");
  EXPECT_EQ(error_with("[checkpoint]\nkeep = 0\n"),
            "r.toml: line 10: checkpoint.keep: expected a whole number from 1 to 10000, found 0");
  EXPECT_EQ(error_with("[checkpoint]\nkeep_best = 1\n"),
            "r.toml: line 10: checkpoint.keep_best: expected true or false, found 1");
  EXPECT_EQ(error_with("[optimizer]\nbetas = [0.9]\n"),
            "r.toml: line 10: optimizer.betas: expected two numbers, found a list of 1");
  EXPECT_EQ(error_with("[optimizer]\nclip = nan\n").find("r.toml: line 10: optimizer.clip"), 0u);
  EXPECT_EQ(error_with("[router]\nbias_speed = 1\n"),
            "r.toml: line 10: router.bias_speed: expected one of the fields balance_loss, "
            "bias_update_speed, found an unknown name");
  EXPECT_EQ(error_with("[swim]\n").find("r.toml: line 9: swim: expected one of the sections"), 0u);
  EXPECT_EQ(error_with("router = 3\n").find("r.toml: line 9: schedule.router"), 0u);
  EXPECT_EQ(error_with("x = = 3\n").find("r.toml: line 9: not valid TOML: "), 0u);
}

TEST(Recipe, TellsWhatIsMissingOrDoesNotFit) {
  EXPECT_EQ(error_of("[model]\nhidden_size = 1\n"),
            "r.toml: line 1: tokenizer.path: expected a tokenizer for the new model, found none");
  EXPECT_NE(error_of("").find("model.from: expected a model to train further or"),
            std::string::npos);
  EXPECT_NE(error_of("model.from = \"m\"\nschedule.steps = 2\n").find("data.tasks: expected"),
            std::string::npos);
  EXPECT_NE(error_of("model.from = \"m\"\ndata.tasks = [\"sums\"]\n").find("schedule.steps"),
            std::string::npos);
  EXPECT_NE(error_of("model.from = \"m\"\nmodel.rope_theta = 3\nlora.rank = 8\n")
                .find("lora.rank: expected 0 where fields of model.from are replaced"),
            std::string::npos);
  EXPECT_NE(error_with("warmup_steps = 11\n").find("at most the 10 steps"), std::string::npos);
  EXPECT_NE(error_with("[checkpoint]\nevery_seconds = 0\n").find("none of them"),
            std::string::npos);
}

TEST(Recipe, TheBestNeedsEvaluationsAndCheckpoints) {
  const std::string best = "[run]\nmodel = \"best\"\n";
  EXPECT_EQ(parse_recipe(std::string(kLeast) + best, "r.toml").run.model, ModelChoice::kBest);
  EXPECT_NE(error_with(best + "[checkpoint]\nkeep_best = false\n").find("checkpoint.keep_best"),
            std::string::npos);
  EXPECT_NE(error_with(best + "[evaluation]\nevery = 0\n").find("evaluation.every"),
            std::string::npos);
  EXPECT_NE(error_with("[evaluation]\nevery = 0\npatience = 2\n")
                .find("evaluations for evaluation.patience"),
            std::string::npos);
  const std::string shards =
      "model.from = \"m\"\ndata.shards = [\"a\"]\nschedule.steps = 2\nevaluation.patience = 1\n";
  EXPECT_NE(error_of(shards).find("data.held_out"), std::string::npos);
  EXPECT_EQ(parse_recipe(shards + "data.held_out = [\"b\"]\n", "r.toml").evaluation.patience, 1);
}

TEST(Recipe, LooksAtTheMixture) {
  const auto with_tasks = [](const std::string& tasks) {
    return error_of("model.from = \"m\"\nschedule.steps = 2\ndata.tasks = " + tasks + "\n");
  };
  EXPECT_EQ(with_tasks("[{name = \"sums\", levels = [2, 2]}, \"units\"]"), "");
  EXPECT_NE(with_tasks("[\"sums\", \"sums\"]").find("level 1 of sums twice"), std::string::npos);
  const auto twice = [&](const std::string& levels) {
    return with_tasks("[{name = \"sums\", levels = [1, 2]}, {name = \"sums\"" + levels + "}]");
  };
  EXPECT_EQ(twice(", levels = [3, 4]"), "");
  EXPECT_NE(twice(", levels = [2, 4]").find("level 2 of sums twice"), std::string::npos);
  EXPECT_NE(twice("").find("level 1 of sums twice"), std::string::npos);
  EXPECT_EQ(with_tasks("[\"sums\", {name = \"sums\", levels = [3, 4]}]"), "");
  EXPECT_NE(with_tasks("[{weight = 2}]").find("a table with a name"), std::string::npos);
  EXPECT_NE(with_tasks("[{name = \"a\", weight = 0}]").find("a weight above 0"), std::string::npos);
  EXPECT_NE(with_tasks("[{name = \"a\", weight = -1}]").find("data.tasks.weight"),
            std::string::npos);
  EXPECT_NE(with_tasks("[{name = \"a\", levels = [3, 2]}]").find("from 3 to 100"),
            std::string::npos);
  EXPECT_NE(with_tasks("[{name = \"a\", swim = 3}]").find("unknown name"), std::string::npos);
  EXPECT_NE(with_tasks("\"sums\"").find("expected a list"), std::string::npos);
  EXPECT_EQ(with_tasks("[\"whales\"]").find("r.toml: line 3: data.tasks: expected names of sums, "),
            0u);
  EXPECT_EQ(
      with_tasks("[{name = \"sums\", levels = [1, 99]}]"),
      fmt::format("r.toml: line 3: data.tasks: expected levels of sums from 1 to {}, found 1 to "
                  "99",
                  task_named("sums").levels()));
  EXPECT_NE(with_tasks("[\"sums\"]\ndata.levels = [1, 99]").find("r.toml: line 4: data.levels: "),
            std::string::npos);
}

TEST(Recipe, StagesAreCheckedEach) {
  EXPECT_NE(error_with("[[stage]]\n[stage.data]\ncontext = 100\n")
                .find("stage[1].data.micro_batch_tokens: expected a multiple of the context, 100"),
            std::string::npos);
  EXPECT_NE(error_with("[[stage]]\nname = \"a\"\n[stage.run]\nseed = 3\n")
                .find("r.toml: line 11: stage[1].run: expected one of the sections"),
            std::string::npos);
  // A stage's mistake is where the field is, also if that is not in the stage.
  EXPECT_EQ(error_with("warmup_steps = 11\n[[stage]]\nname = \"a\"\n")
                .find("r.toml: line 9: stage[1].schedule.warmup_steps: expected at most the 10"),
            0u);
  EXPECT_EQ(error_with("[[stage]]\n[stage.schedule]\nwarmup_steps = 11\n")
                .find("r.toml: line 11: stage[1].schedule.warmup_steps: expected at most the 10"),
            0u);
  EXPECT_NE(error_with("[stage]\nname = \"a\"\n").find("[[stage]]"), std::string::npos);
  EXPECT_NE(error_with("[[stage]]\nname = 3\n").find("stage.name"), std::string::npos);
}

TEST(Recipe, AnAdapterNeedsAModel) {
  EXPECT_NE(error_with("[lora]\nrank = 4\n").find("lora.rank: expected 0 without model.from"),
            std::string::npos);
}

TEST(Recipe, ReinforcementHasItsOwnSections) {
  const Recipe recipe = parse_recipe(
      std::string(kLeast) +
          "[grpo]\ngroup = 8\nadvantage = \"mean-and-deviation\"\n[rewards]\nformat = 0.5\n",
      "r.toml");
  EXPECT_TRUE(recipe.grpo.given);
  EXPECT_EQ(recipe.grpo.group, 8);
  EXPECT_EQ(recipe.grpo.advantage, AdvantageKind::kMeanAndDeviation);
  EXPECT_EQ(recipe.rewards.accuracy, 1);
  EXPECT_EQ(recipe.rewards.format, 0.5);
  // Their defaults are those of reinforcement.
  EXPECT_EQ(recipe.stages[0].optimizer.kind, OptimizerKind::kAdamW);
  EXPECT_EQ(recipe.stages[0].schedule.peak, 3e-5);
  EXPECT_EQ(recipe.stages[0].optimizer.weight_decay, 0);
  EXPECT_EQ(recipe.stages[0].bias_update_speed, 0);
  const Recipe training = parse_recipe(kLeast, "r.toml");
  EXPECT_FALSE(training.grpo.given);
  EXPECT_EQ(training.stages[0].optimizer.kind, OptimizerKind::kMuon);
  std::string none = std::string(kLeast) + "[grpo]\n";
  none.replace(none.find("tasks = [\"sums\"]"), 16, "");
  EXPECT_NE(error_of(none).find("grpo.questions: expected a file of questions, or data.tasks"),
            std::string::npos);
  EXPECT_NE(error_with("[grpo]\nreply_tokens = 512\n")
                .find("grpo.reply_tokens: expected fewer than the context, 512, found 512"),
            std::string::npos);
  EXPECT_NE(error_with("[grpo]\ngroup = 1\n").find("grpo.group"), std::string::npos);
  EXPECT_NE(error_with("[grpo]\n[rewards]\naccuracy = 0.0\n").find("rewards.accuracy"),
            std::string::npos);
  EXPECT_NE(error_with("[grpo]\n[[stage]]\nname = \"a\"\n").find("stage: expected none"),
            std::string::npos);
}

TEST(Recipe, DocumentationHasTheTableOfTheFields) {
  const std::string page = read_text_file(kRoot / "docs/recipes.md");
  EXPECT_NE(page.find(recipe_field_table()), std::string::npos) << "docs/recipes.md should hold:\n"
                                                                << recipe_field_table();
}

}  // namespace
}  // namespace minke
