#include "learn/train/trainer.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <set>

#include <gtest/gtest.h>

#include "base/core/mapped_file.h"
#include "learn/data/packing.h"
#include "learn/train/model_parameters.h"
#include "learn/train/pass.h"
#include "learn/train/recipe/recipe.h"
#include "learn/train/run_store.h"
#include "learn/train/stage_data.h"
#include "learn/train/train_testing.h"
#include "model/families/bundle.h"
#include "model/formats/open_checkpoint.h"

namespace minke {
namespace {

namespace fs = std::filesystem;
using testing::error_of;
using testing::expect_done;
using testing::Recorder;
using testing::TinyRuns;
using testing::train_with;

class TrainerTest : public ::testing::Test {
 protected:
  static TrainerOptions options() {
    TrainerOptions o;
    o.isa = chosen_isa();
    return o;
  }
  static SavedRun latest(const fs::path& run) {
    const auto saved =
        latest_checkpoint(run, [](const std::string& text) { ADD_FAILURE() << text; });
    if (!saved) fail(run.string(), "expected a checkpoint, found none");
    return *saved;
  }
  static Checkpoint weights_of(const fs::path& file) {
    Checkpoint weights(Naming::kHuggingFace, Metadata(file.string()));
    read_safetensors(file, weights);
    return weights;
  }
  // All that a run leaves: the last checkpoint's weights and optimizer, and the model.
  static std::vector<std::string> bits_of(const fs::path& run) {
    const fs::path last = latest(run).folder;
    return {read_text_file(last / "weights.safetensors"),
            read_text_file(last / "optimizer.safetensors"),
            read_text_file(run / "model/model.safetensors")};
  }

  TinyRuns runs_;
};

// The first weights of a recipe's model, outside of the trainer.
struct FirstWeights {
  explicit FirstWeights(const Recipe& recipe)
      : checkpoint(Naming::kHuggingFace, recipe.model.metadata("tiny")),
        model(make_model(checkpoint)),
        parameters(*model, DType::kBF16) {
    parameters.initialize(static_cast<uint64_t>(recipe.run.seed), model->facts().layers);
  }
  Checkpoint checkpoint;
  std::unique_ptr<Model> model;
  ModelParameters parameters;
};

// Documents that pass a model as one micro-batch.
struct Packed {
  explicit Packed(PackedBatch b) : batch(std::move(b)) {}
  PassInput input() {
    const auto n = static_cast<size_t>(batch.filled);
    weights.assign(n, 1.0f);
    while (batch.segment_starts.back() >= batch.filled) batch.segment_starts.pop_back();
    return {std::span(batch.tokens).first(n),  std::span(batch.positions).first(n),
            std::span(batch.targets).first(n), batch.segment_starts,
            std::span<const float>(weights),   0};
  }
  PackedBatch batch;
  std::vector<float> weights;
};

TEST_F(TrainerTest, LossFalls) {
  Recorder recorder;
  const auto recipe = runs_.recipe("falls", 60, "[optimizer]\nlearning_rate = 0.01\n");
  ASSERT_EQ(train_with(recipe, recorder), TrainingEnd::kDone);
  ASSERT_EQ(recorder.steps.size(), 60u);
  EXPECT_NEAR(recorder.steps.front().loss, std::log(384), 0.1);  // it knows nothing yet
  EXPECT_LT(recorder.steps.back().loss, 0.6 * recorder.steps.front().loss);
}

TEST_F(TrainerTest, InterruptionsAndThreadsLeaveTheSameBits) {
  const std::string stages =
      "[evaluation]\nevery = 5\nproblems = 4\n[[stage]]\nname = \"a\"\n[[stage]]\nname = \"b\"\n"
      "data.form = \"chat\"\nschedule.steps = 10\noptimizer.kind = \"adamw\"\n";
  expect_done(runs_.recipe("whole", 12, stages));
  const auto expected = bits_of(runs_.run("whole"));
  Rng rng(7);
  std::set<int64_t> stops = {12};  // the end of the first stage, and nine others
  while (stops.size() < 10) stops.insert(1 + static_cast<int64_t>(rng.below(21)));
  for (const int threads : {1, 2}) {
    runs_.threads = threads;
    const std::string name = fmt::format("parts{}", threads);
    const auto recipe = runs_.recipe(name, 12, stages);
    for (const int64_t stop : stops) {
      Recorder recorder(stop);
      ASSERT_EQ(train_with(recipe, recorder), TrainingEnd::kStopped);
      EXPECT_EQ(latest(runs_.run(name)).state.step, stop);
    }
    expect_done(recipe);
    const auto found = bits_of(runs_.run(name));
    for (size_t i = 0; i < expected.size(); ++i) EXPECT_TRUE(found[i] == expected[i]) << i;
    // One record a step, whatever was computed twice.
    const RunRecords log = read_run_log(runs_.run(name) / "log.jsonl");
    ASSERT_EQ(log.steps.size(), 22u);
    for (size_t i = 0; i < 22; ++i) EXPECT_EQ(log.steps[i].step, static_cast<int64_t>(i) + 1);
    // Before the first, every five steps, and at the end of each stage.
    EXPECT_EQ(log.evaluations.size(), 7u);
    EXPECT_EQ(log.sittings.size(), 11u);
  }
}

TEST_F(TrainerTest, WorkBehindTheLastCheckpointIsDoneAgain) {
  const std::string checkpoints = "[checkpoint]\nevery_steps = 3\n";
  expect_done(runs_.recipe("whole", 8, checkpoints));
  const auto recipe = runs_.recipe("lost", 8, checkpoints);
  struct Thrower : Recorder {
    bool go_on() override {
      if (!steps.empty() && steps.back().step == 5) throw Error("gone");
      return true;
    }
  } thrower;
  EXPECT_EQ(error_of([&] { train(recipe, options(), thrower); }), "gone");
  EXPECT_EQ(latest(runs_.run("lost")).state.step, 3);
  Recorder recorder;
  ASSERT_EQ(train_with(recipe, recorder), TrainingEnd::kDone);
  EXPECT_EQ(recorder.plan.done, 3);
  EXPECT_EQ(bits_of(runs_.run("lost")), bits_of(runs_.run("whole")));
}

TEST_F(TrainerTest, WeightsThatBurstEndItWithTheLastFiniteOnesKept) {
  // Each step multiplies weights by 1 - 10 * 100.
  const auto recipe = runs_.recipe("burst", 40,
                                   "[checkpoint]\nevery_steps = 1\n[optimizer]\nkind = \"adamw\"\n"
                                   "learning_rate = 10\nweight_decay = 100\n");
  Recorder recorder;
  const std::string error = error_of([&] { train_with(recipe, recorder); });
  EXPECT_NE(error.find("the last checkpoint is from before that"), std::string::npos) << error;
  EXPECT_LT(recorder.steps.size(), 40u);
  const Checkpoint weights = weights_of(latest(runs_.run("burst")).folder / "weights.safetensors");
  for (const auto& [name, t] : weights.tensors()) {
    for (int64_t i = 0; i < t.shape.elements(); ++i) ASSERT_TRUE(std::isfinite(t.f32()[i])) << name;
  }
  EXPECT_FALSE(fs::exists(runs_.run("burst") / "model"));
}

TEST_F(TrainerTest, AnErrorTellsWhatIsSaved) {
  const auto path = runs_.recipe("none", 40,
                                 "[checkpoint]\nkeep_best = false\n[optimizer]\nkind = \"adamw\"\n"
                                 "learning_rate = 10\nweight_decay = 100\n");
  Recorder recorder;
  const std::string error = error_of([&] { train_with(path, recorder); });
  EXPECT_NE(error.find("no checkpoint was written before that"), std::string::npos) << error;
}

// The peak of the machine is that of the threads that train, and is not measured for a recipe that
// cannot be run.
TEST_F(TrainerTest, TheMachineIsAskedOnceTheRunBegins) {
  std::vector<int64_t> asked;
  TrainerOptions o = options();
  o.describe_machine = [&](int64_t threads) {
    asked.push_back(threads);
    return MachineFacts{1e9, "abacus"};
  };
  Recorder recorder;
  const auto bad = runs_.folder().file("bad.toml", "[model]\n");
  EXPECT_THROW(train(bad, o, recorder), Error);
  EXPECT_TRUE(asked.empty());
  runs_.threads = 1;
  EXPECT_EQ(train(runs_.recipe("asked", 1, ""), o, recorder), TrainingEnd::kDone);
  EXPECT_EQ(asked, std::vector<int64_t>{1});
  EXPECT_EQ(recorder.plan.sitting.machine, "abacus");
  EXPECT_TRUE(recorder.steps.at(0).percent_of_peak);
}

TEST_F(TrainerTest, BiasesMoveAgainstTheLoadOfTheirExperts) {
  const auto path = runs_.recipe(
      "bias", 1, "[router]\nbias_update_speed = 0.25\n[checkpoint]\nevery_steps = 1\n");
  expect_done(path);
  const Recipe recipe = read_recipe(path);
  FirstWeights first(recipe);
  ThreadPool pool(1);
  Pass pass(*first.model, pool, chosen_isa(), DType::kBF16, 256);
  first.parameters.track(pass.tape());
  first.parameters.publish(pool, pass.kernels());
  const auto tokenizer = load_tokenizer(runs_.run("tokenizer"));
  const DocumentEncoder encoder(*tokenizer);
  const auto source = stage_documents(recipe.stages[0].data, encoder, Split::kTrain);
  Packer packer(*source, {256, 256, 0});
  std::vector<int64_t> tokens(4);
  for (int i = 0; i < 2; ++i) {
    Packed packed(packer.next());
    pass.train(packed.input());
    ASSERT_EQ(pass.tape().loads.size(), 1u);
    for (size_t e = 0; e < 4; ++e) tokens[e] += pass.tape().loads[0].tokens[e];
  }
  const int64_t total = tokens[0] + tokens[1] + tokens[2] + tokens[3];
  const Checkpoint model = weights_of(runs_.run("bias") / "model/model.safetensors");
  const auto bias = model.find("model.layers.1.mlp.gate.e_score_correction_bias");
  ASSERT_TRUE(bias);
  for (size_t e = 0; e < 4; ++e) {
    const float expected = 4 * tokens[e] > total ? -0.25f : 4 * tokens[e] < total ? 0.25f : 0.0f;
    EXPECT_EQ(bias->f32()[e], expected) << tokens[e] << " of " << total;
  }
}

TEST_F(TrainerTest, HeldOutLossIsThatOfHeldOutProblemsAndTheModelIsWhatWasTrained) {
  const auto path = runs_.recipe("held", 3, "[evaluation]\nevery = 3\nproblems = 6\n");
  Recorder recorder;
  ASSERT_EQ(train_with(path, recorder), TrainingEnd::kDone);
  ASSERT_EQ(recorder.evaluations.size(), 2u);

  // From the files of RUN/model alone.
  const Bundle bundle = load_bundle(runs_.run("held") / "model");
  const DocumentEncoder encoder(bundle.require_tokenizer());
  ThreadPool pool(1);
  Pass pass(*bundle.model, pool, chosen_isa(), DType::kBF16, 256);
  const auto loss_of = [&](Split split) {
    const auto source = stage_documents(read_recipe(path).stages[0].data, encoder, split);
    Packer packer(*source, {256, 256, 0});
    double loss = 0;
    int64_t targets = 0;
    while (packer.state().next < 6) {
      Packed packed(packer.next());
      loss += pass.evaluate(packed.input()).loss;
      targets += packed.batch.loss_targets;
    }
    return loss / static_cast<double>(targets);
  };
  EXPECT_EQ(recorder.evaluations[1].values.at("loss"), loss_of(Split::kHeldOut));
  EXPECT_NE(recorder.evaluations[1].values.at("loss"), loss_of(Split::kTrain));
}

TEST_F(TrainerTest, ModelHasTheTrainersWeightsRounded) {
  expect_done(runs_.recipe("model", 4, ""));
  const Checkpoint masters = weights_of(latest(runs_.run("model")).folder / "weights.safetensors");
  const Checkpoint model = weights_of(runs_.run("model") / "model/model.safetensors");
  EXPECT_EQ(model.tensor_count(), masters.tensor_count());
  int rounded = 0;
  for (const auto& [name, master] : masters.tensors()) {
    const auto written = model.find(name);
    ASSERT_TRUE(written) << name;
    for (int64_t i = 0; i < master.shape.elements(); ++i) {
      const float exact = master.f32()[i];
      if (written->type == DType::kF32) {
        ASSERT_EQ(written->f32()[i], exact) << name;
        continue;
      }
      uint16_t bits;
      std::memcpy(&bits, written->data + 2 * i, 2);
      const float found = std::bit_cast<float>(static_cast<uint32_t>(bits) << 16);
      ASSERT_LE(std::abs(found - exact), std::abs(exact) / 256) << name;  // half of 2^-7
      ++rounded;
    }
  }
  EXPECT_GT(rounded, 0);
}

TEST_F(TrainerTest, FineTuningGoesOnFromAModel) {
  expect_done(runs_.recipe("base", 4, ""));
  expect_done(runs_.further("tuned", "base",
                            "[optimizer]\nlearning_rate = 0\n[router]\nbias_update_speed = 0\n"));
  EXPECT_TRUE(read_text_file(runs_.run("tuned") / "model/model.safetensors") ==
              read_text_file(runs_.run("base") / "model/model.safetensors"));
}

TEST_F(TrainerTest, NothingToLearnFromIsAnError) {
  // The prompts alone are longer than the context.
  const auto path = runs_.recipe("nothing", 2,
                                 "[[stage]]\ndata.form = \"chat\"\ndata.context = 8\n"
                                 "data.micro_batch_tokens = 64\ndata.batch_tokens = 128\n");
  Recorder recorder;
  const std::string error = error_of([&] { train_with(path, recorder); });
  EXPECT_NE(error.find("data.context"), std::string::npos) << error;
  EXPECT_TRUE(recorder.steps.empty());
}

TEST_F(TrainerTest, DocumentsThatAreCutAreTold) {
  const auto path = runs_.recipe("cut", 2,
                                 "[[stage]]\ndata.context = 8\ndata.micro_batch_tokens = 64\n"
                                 "data.batch_tokens = 128\n");
  Recorder recorder;
  ASSERT_EQ(train_with(path, recorder), TrainingEnd::kDone);
  for (const StepRecord& step : recorder.steps) EXPECT_EQ(step.values.at("cut_documents"), 1);
  EXPECT_EQ(std::ranges::count_if(recorder.notes,
                                  [](const std::string& note) {
                                    return note.find("16 of the 16 documents") != std::string::npos;
                                  }),
            1);
}

TEST_F(TrainerTest, AStopDoesNotWaitForAnEvaluation) {
  const auto path = runs_.recipe("stops", 4, "[evaluation]\nevery = 2\nproblems = 4\n");
  Recorder first(2);
  ASSERT_EQ(train_with(path, first), TrainingEnd::kStopped);
  EXPECT_EQ(latest(runs_.run("stops")).state.step, 2);
  EXPECT_EQ(first.evaluations.size(), 1u);  // before the first step
  struct Stopper : Recorder {
    bool go_on() override { return false; }
  } second;
  ASSERT_EQ(train_with(path, second), TrainingEnd::kStopped);
  EXPECT_TRUE(second.steps.empty());
  EXPECT_TRUE(second.evaluations.empty());
  Recorder third;
  ASSERT_EQ(train_with(path, third), TrainingEnd::kDone);
  EXPECT_EQ(read_run_log(runs_.run("stops") / "log.jsonl").evaluations.size(), 3u);
}

TEST_F(TrainerTest, ARecipeThatCannotRunLeavesNoFolder) {
  const auto refused = [&](const std::string& more) {
    const auto recipe = runs_.recipe("bad", 2, more);
    Recorder recorder;
    const std::string error = error_of([&] { train_with(recipe, recorder); });
    EXPECT_FALSE(fs::exists(runs_.run("bad"))) << more;
    return error;
  };
  EXPECT_NE(refused("[[stage]]\n[[stage]]\n[stage.data]\ncontext = 512\nmicro_batch_tokens = 512\n")
                .find("expected at most 256 for this model, found 512"),
            std::string::npos);
  EXPECT_NE(refused("[[stage]]\n[stage.data]\ntasks = []\nshards = [\"none.shard\"]\n")
                .find("none.shard"),
            std::string::npos);
}

TEST_F(TrainerTest, ACheckpointOfAnotherStageIsRefused) {
  const auto recipe = runs_.recipe("stage", 3, "[checkpoint]\nevery_steps = 1\n");
  expect_done(recipe);
  SavedRun saved = latest(runs_.run("stage"));
  saved.state.stage = 5;
  saved.state.step = 9;
  FirstWeights first(read_recipe(recipe));
  auto optimizer = make_optimizer({}, select_kernels(Isa::kScalar), first.parameters.parameters());
  RunStore(runs_.run("stage"), read_text_file(recipe))
      .save(saved.state, first.parameters.parameters(), *optimizer, 2, std::nullopt);
  Recorder recorder;
  EXPECT_NE(error_of([&] { train_with(recipe, recorder); }).find("found 9 in stage 5"),
            std::string::npos);
}

}  // namespace
}  // namespace minke
