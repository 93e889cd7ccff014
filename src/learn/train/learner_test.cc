#include "learn/train/learner.h"

#include <fstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/core/atomic_file.h"
#include "base/core/mapped_file.h"
#include "learn/train/train_testing.h"
#include "learn/train/trainer.h"
#include "model/convert/convert.h"
#include "model/families/bundle.h"
#include "model/formats/open_checkpoint.h"

namespace minke {
namespace {

namespace fs = std::filesystem;
using testing::expect_done;
using testing::Recorder;
using testing::TinyRuns;

// As the folders of Qwen2 and Qwen3 are.
TEST(Learner, ATokenizerNeedsNoBos) {
  const TinyRuns runs;
  const fs::path folder = runs.run("tokenizer");
  auto config = nlohmann::json::parse(read_text_file(folder / "tokenizer_config.json"));
  config["bos_token"] = nullptr;
  config["add_bos_token"] = false;
  config.erase("chat_template");
  std::ofstream(folder / "tokenizer_config.json") << config.dump();
  auto tokenizer = nlohmann::json::parse(read_text_file(folder / "tokenizer.json"));
  tokenizer["post_processor"] = nullptr;
  std::ofstream(folder / "tokenizer.json") << tokenizer.dump();

  expect_done(runs.recipe("nobos", 1, ""));
  const Bundle bundle = load_bundle(runs.run("nobos") / "model");
  EXPECT_FALSE(bundle.require_tokenizer().bos());
}

TEST(Learner, AChatFormatOfItsOwnFileGoesWithTheModel) {
  const TinyRuns runs;
  const fs::path folder = runs.run("tokenizer");
  auto config = nlohmann::json::parse(read_text_file(folder / "tokenizer_config.json"));
  const std::string jinja = config.at("chat_template");
  config["chat_template"] = "what the other file says goes before this";
  std::ofstream(folder / "tokenizer_config.json") << config.dump();
  std::ofstream(folder / "chat_template.jinja") << jinja;

  expect_done(runs.recipe("jinja", 1, ""));
  const Bundle bundle = load_bundle(runs.run("jinja") / "model");
  EXPECT_EQ(bundle.require_tokenizer().spec().chat_template, jinja);
}

TEST(Learner, TheFilesOfAModelGoWithTheOneThatIsTrainedFurther) {
  const TinyRuns runs;
  expect_done(runs.recipe("base", 1, ""));
  const fs::path base = runs.run("base") / "model";
  std::ofstream(base / "generation_config.json") << R"({"temperature": 0.6})";
  std::ofstream(base / "LICENSE") << "free";
  expect_done(runs.further("tuned", "base", ""));
  for (const char* name : {"generation_config.json", "LICENSE"}) {
    ASSERT_TRUE(fs::exists(runs.run("tuned") / "model" / name)) << name;
    EXPECT_EQ(read_text_file(runs.run("tuned") / "model" / name), read_text_file(base / name));
  }
  // The defaults name ids of their tokenizer.
  expect_done(
      runs.further("other", "base",
                   fmt::format("[tokenizer]\npath = \"{}\"\n", runs.run("tokenizer").string())));
  EXPECT_FALSE(fs::exists(runs.run("other") / "model/generation_config.json"));
}

Recorder run_of(const fs::path& recipe) {
  TrainerOptions options;
  options.isa = chosen_isa();
  Recorder recorder;
  EXPECT_EQ(train(recipe, options, recorder), TrainingEnd::kDone);
  return recorder;
}

// The recipe with `more` behind `line`.
fs::path changed(const fs::path& recipe, const std::string& line, const std::string& more) {
  std::string text = read_text_file(recipe);
  text.insert(text.find(line) + line.size(), more);
  AtomicFile file(recipe);
  file.write(text);
  file.commit();
  return recipe;
}

constexpr const char* kYarn =
    "max_position_embeddings = 1024\n[model.rope_scaling]\ntype = \"yarn\"\nfactor = 4.0\n"
    "original_max_position_embeddings = 256\nmscale = 1.0\nmscale_all_dim = 1.0\n";

// A recipe that goes on with RUN/model of `base`.
fs::path further(const TinyRuns& runs, const std::string& base, const std::string& name,
                 const std::string& fields, int context) {
  return runs.folder().file(
      name + ".toml",
      fmt::format("[model]\nfrom = \"{}\"\n{}[run]\noutput = \"{}\"\nthreads = 2\n[data]\ntasks = "
                  "[\"sums\"]\nlanguages = [\"en\"]\ncontext = {}\nbatch_tokens = 1024\n"
                  "micro_batch_tokens = 1024\n[schedule]\nsteps = 2\n",
                  (runs.run(base) / "model").string(), fields, runs.run(name).string(), context));
}

TEST(Learner, FieldsOfTheRecipeTakeThePlaceOfTheModelsOwn) {
  const TinyRuns runs;
  run_of(runs.recipe("base", 2, ""));
  const Recorder plain = run_of(further(runs, "base", "plain", "", 256));
  const Recorder stretched = run_of(further(runs, "base", "stretched", kYarn, 256));
  EXPECT_NE(plain.steps[0].loss, stretched.steps[0].loss);
  run_of(further(runs, "base", "long", kYarn, 1024));

  const fs::path model = runs.run("long") / "model";
  const auto config = nlohmann::json::parse(read_text_file(model / "config.json"));
  EXPECT_EQ(config["max_position_embeddings"], 1024);
  EXPECT_EQ(config["hidden_size"], 32);
  EXPECT_EQ(config["rope_scaling"], (nlohmann::json{{"type", "yarn"},
                                                    {"factor", 4.0},
                                                    {"original_max_position_embeddings", 256},
                                                    {"mscale", 1.0},
                                                    {"mscale_all_dim", 1.0}}));

  ThreadPool pool(1);
  const fs::path gguf = runs.run("long.gguf");
  convert({model, gguf, "", std::nullopt, std::nullopt}, pool);
  const Checkpoint written = open_checkpoint(gguf);
  EXPECT_EQ(written.metadata().text("deepseek2.rope.scaling.type"), "yarn");
  EXPECT_EQ(written.metadata().number("deepseek2.rope.scaling.factor"), 4);
  EXPECT_EQ(written.metadata().integer("deepseek2.rope.scaling.original_context_length"), 256);
  EXPECT_EQ(written.metadata().integer("deepseek2.context_length"), 1024);

  // An object takes the place of an object as a whole.
  run_of(further(runs, "long", "linear", "[model.rope_scaling]\ntype = \"linear\"\nfactor = 2.0\n",
                 1024));
  const auto linear =
      nlohmann::json::parse(read_text_file(runs.run("linear") / "model/config.json"));
  EXPECT_EQ(linear["rope_scaling"], (nlohmann::json{{"type", "linear"}, {"factor", 2.0}}));
  EXPECT_EQ(linear["max_position_embeddings"], 1024);

  // The newer name for the same object.
  run_of(further(runs, "linear", "renamed",
                 "[model.rope_parameters]\nrope_type = \"linear\"\nfactor = 4.0\n", 1024));
  const auto renamed =
      nlohmann::json::parse(read_text_file(runs.run("renamed") / "model/config.json"));
  EXPECT_FALSE(renamed.contains("rope_scaling"));
  EXPECT_EQ(renamed["rope_parameters"]["factor"], 4.0);
}

// The recipe with `by` in the place of `what`.
fs::path replaced(const fs::path& recipe, const std::string& what, const std::string& by) {
  std::string text = read_text_file(recipe);
  text.replace(text.find(what), what.size(), by);
  AtomicFile file(recipe);
  file.write(text);
  file.commit();
  return recipe;
}

TEST(Learner, MisspeltFieldsOfTheModelAreRefused) {
  const TinyRuns runs;
  // Without experts the fields of experts are right, and mean nothing.
  const std::string error = testing::error_of(
      [&] { run_of(replaced(runs.recipe("base", 1, ""), "n_routed_experts", "n_routed_expert")); });
  EXPECT_NE(error.find(": line 2: model: expected fields that this kind of model has"),
            std::string::npos)
      << error;
  EXPECT_TRUE(error.ends_with("found unknown names: n_routed_expert")) << error;
  const std::string value = testing::error_of([&] {
    run_of(replaced(runs.recipe("value", 1, ""), "hidden_size = 32", "hidden_size = \"x\""));
  });
  EXPECT_NE(value.find("value.toml: line 2: model: metadata key 'hidden_size': expected"),
            std::string::npos)
      << value;
  EXPECT_NE(testing::error_of([&] {
              run_of(changed(runs.recipe("dropout", 1, ""), "hidden_size = 32\n",
                             "attention_dropout = 0.1\n"));
            }).find("attention_dropout: expected 0"),
            std::string::npos);
  run_of(changed(runs.recipe("others", 1, ""), "hidden_size = 32\n",
                 "use_cache = true\nattention_dropout = 0.0\n"));
  EXPECT_NE(testing::error_of([&] {
              run_of(further(
                  runs, "others", "nested",
                  "[model.rope_scaling]\ntype = \"linear\"\nfactor = 2.0\nbeta_fst = 1.0\n", 256));
            }).find("unknown names: rope_scaling.beta_fst"),
            std::string::npos);
}

TEST(Learner, RecomputedLayersTrainTheSameModel) {
  const TinyRuns runs;
  const auto recipe = [&](const std::string& name) {
    return changed(runs.recipe(name, 4, ""), "hidden_size = 32\n",
                   "num_nextn_predict_layers = 1\n");
  };
  const Recorder kept = run_of(recipe("kept"));
  const Recorder again = run_of(changed(recipe("again"), "[run]\n", "recompute = true\n"));
  ASSERT_EQ(again.steps.size(), kept.steps.size());
  for (size_t i = 0; i < kept.steps.size(); ++i) {
    EXPECT_EQ(again.steps[i].loss, kept.steps[i].loss);
    EXPECT_EQ(again.steps[i].gradient_norm, kept.steps[i].gradient_norm);
    EXPECT_EQ(again.steps[i].expert_load.size(), 2u);  // the layer's and the module's
    EXPECT_EQ(again.steps[i].expert_load, kept.steps[i].expert_load);
  }
  EXPECT_TRUE(read_text_file(runs.run("again") / "model/model.safetensors") ==
              read_text_file(runs.run("kept") / "model/model.safetensors"));
}

}  // namespace
}  // namespace minke
