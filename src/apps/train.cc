#include "apps/terminal/stop_signal.h"
#include "apps/terminal/training_report.h"
#include "apps/verbs.h"
#include "learn/rl/grpo.h"

namespace minke {
namespace {

struct TrainOptions {
  std::string recipe, output;
  bool quiet = false, json = false;
};

int train_verb(const TrainOptions& options, Console& console) {
  TrainingReport report("training", options.quiet, console);
  report.finish(train(options.recipe, trainer_options(options.output), report), options.json);
  throw_if_stopped();
  return 0;
}

int grpo_verb(const TrainOptions& options, Console& console) {
  TrainingReport report("grpo", options.quiet, console);
  report.finish(grpo(options.recipe, trainer_options(options.output), report), options.json);
  throw_if_stopped();
  return 0;
}

void add_recipe_options(CLI::App& verb, TrainOptions& options) {
  verb.add_option("RECIPE", options.recipe, "a TOML file; docs/recipes.md has its fields")
      ->required()
      ->type_name("");
  verb.add_option("-o,--output", options.output, "the folder of the run, in place of the recipe's")
      ->type_name("DIR");
  verb.add_flag("-q,--quiet", options.quiet, "say nothing but errors");
  add_json(verb, options.json);
  verb.footer(
      "Ctrl-C or SIGTERM writes a checkpoint and ends; the same command goes on with it, to the\n"
      "same weights as without the pause. The model is RUN/model in the end.");
}

}  // namespace

void add_train(CLI::App& app, Action& action) {
  const auto o = std::make_shared<TrainOptions>();
  add_recipe_options(
      add_verb(app, action, "train", "train a model by a recipe, or go on with it", o, train_verb),
      *o);
}

void add_grpo(CLI::App& app, Action& action) {
  const auto o = std::make_shared<TrainOptions>();
  add_recipe_options(
      add_verb(app, action, "grpo",
               "teach a model to reason by rewards, by a recipe, or go on with it", o, grpo_verb),
      *o);
}

}  // namespace minke
