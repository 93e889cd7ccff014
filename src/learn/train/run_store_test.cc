#include "learn/train/run_store.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <thread>

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/core/error.h"
#include "base/core/rng.h"
#include "base/core/test_folder.h"
#include "base/cpu/isa.h"

namespace minke {
namespace {

namespace fs = std::filesystem;

constexpr const char* kRecipe = "[run]\nseed = 1\n";

// Two weights and their optimizer. Every value says of which step it is.
struct Training {
  Training() {
    for (const char* name : {"a.weight", "b.weight"}) {
      const Shape shape = {40, 25};
      parameters.push_back({name, ParameterRole::kMatrix, Tensor::zeros(DType::kF32, shape),
                            Tensor::zeros(DType::kF32, shape)});
    }
    OptimizerOptions options;
    options.kind = OptimizerKind::kAdamW;
    optimizer = make_optimizer(options, select_kernels(Isa::kScalar), parameters);
  }

  static void fill(Tensor& tensor, float value) {
    for (int64_t i = 0; i < tensor.shape.elements(); ++i) tensor.f32()[i] = value;
  }
  void set_step(int64_t step) {
    const auto value = static_cast<float>(step);
    for (Parameter& p : parameters) fill(p.master, value);
    optimizer->visit_state([&](const std::string&, Tensor& state) { fill(state, -value); });
  }
  bool is_at(int64_t step) {
    bool same = true;
    const auto look = [&](const Tensor& tensor, float value) {
      for (int64_t i = 0; i < tensor.shape.elements(); ++i) same &= tensor.f32()[i] == value;
    };
    const auto value = static_cast<float>(step);
    for (const Parameter& p : parameters) look(p.master, value);
    optimizer->visit_state([&](const std::string&, Tensor& state) { look(state, -value); });
    return same;
  }
  void save(RunStore& store, int64_t step, int64_t keep = 3, std::optional<int64_t> best = {}) {
    set_step(step);
    RunState state;
    state.step = step;
    store.save(state, parameters, *optimizer, keep, best);
  }

  std::vector<Parameter> parameters;
  std::unique_ptr<Optimizer> optimizer;
};

class RunStoreTest : public ::testing::Test {
 protected:
  std::optional<SavedRun> latest() {
    return latest_checkpoint(folder_, [this](const std::string& w) { warnings_.push_back(w); });
  }
  std::vector<std::string> checkpoints() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_ / "checkpoints")) {
      names.push_back(entry.path().filename().string());
    }
    std::ranges::sort(names);
    return names;
  }
  fs::path step(const std::string& name) const { return folder_ / "checkpoints" / name; }
  template <typename Action>
  static std::string error_of(const Action& action) {
    try {
      action();
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }

  const testing::TempFolder temporary_;
  const fs::path folder_ = temporary_.path();
  std::vector<std::string> warnings_;
};

void flip_byte(const fs::path& path, int64_t at) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(at, at < 0 ? std::ios::end : std::ios::beg);
  const auto byte = static_cast<char>(file.get() ^ 1);
  file.seekp(at, at < 0 ? std::ios::end : std::ios::beg);
  file.put(byte);
}

TEST_F(RunStoreTest, GivesBackWhatWasSaved) {
  Training training;
  RunStore store(folder_, kRecipe);
  EXPECT_FALSE(latest());
  training.set_step(7);
  RunState state{.stage = 1,
                 .step = 7,
                 .tokens = 1234567890123,
                 .seconds = 0.1,
                 .cursor = R"({"shard":3,"at":[1,2]})",
                 .inputs = {{"the tokenizer in \"x\"", "0123456789abcdef"}}};
  store.save(state, training.parameters, *training.optimizer, 2, std::nullopt);

  const auto saved = latest();
  ASSERT_TRUE(saved);
  EXPECT_EQ(saved->state.stage, 1);
  EXPECT_EQ(saved->state.tokens, 1234567890123);
  EXPECT_EQ(saved->state.seconds, 0.1);
  EXPECT_EQ(saved->state.cursor, state.cursor);
  EXPECT_EQ(saved->state.inputs, state.inputs);
  Training again;
  restore_checkpoint(*saved, again.parameters, *again.optimizer);
  EXPECT_TRUE(again.is_at(7));
  EXPECT_TRUE(warnings_.empty());
}

TEST_F(RunStoreTest, KeepsTheLastAndTheBest) {
  Training training;
  RunStore store(folder_, kRecipe);
  training.save(store, 1, 2);
  for (int64_t step = 2; step <= 5; ++step) training.save(store, step, 2, 2);
  EXPECT_EQ(checkpoints(),
            (std::vector<std::string>{"step-00000002", "step-00000004", "step-00000005"}));
}

TEST_F(RunStoreTest, PassesOverADamagedOne) {
  Training training;
  for (const char* name :
       {"weights.safetensors", "optimizer.safetensors", "state.json", "manifest.json"}) {
    fs::remove_all(folder_);
    warnings_.clear();
    RunStore store(folder_, kRecipe);
    training.save(store, 1);
    training.save(store, 2);
    // The first byte of the manifest is its brace; the middle of the others is anything.
    flip_byte(step("step-00000002") / name, name[0] == 'm' ? 0 : -20);
    const auto saved = latest();
    ASSERT_TRUE(saved) << name;
    EXPECT_EQ(saved->state.step, 1) << name;
    ASSERT_EQ(warnings_.size(), 1u) << name;
    EXPECT_NE(warnings_[0].find(name), std::string::npos) << warnings_[0];
    EXPECT_TRUE(fs::exists(step("step-00000002")));
    // The step that is reached again takes its place.
    training.save(store, 2);
    EXPECT_EQ(latest()->state.step, 2);
  }
}

TEST_F(RunStoreTest, PassesOverOneWithAMissingFile) {
  Training training;
  RunStore store(folder_, kRecipe);
  training.save(store, 1);
  training.save(store, 2);
  fs::remove(step("step-00000002") / "optimizer.safetensors");
  EXPECT_EQ(latest()->state.step, 1);
  fs::remove_all(step("step-00000001"));
  EXPECT_FALSE(latest());
}

TEST_F(RunStoreTest, ADamagedOneGoesWithTheOnesOfItsAge) {
  Training training;
  RunStore store(folder_, kRecipe);
  training.save(store, 1, 1);
  fs::remove(step("step-00000001") / "state.json");
  training.save(store, 2, 2);
  EXPECT_EQ(checkpoints().size(), 2u);
  training.save(store, 3, 2);
  training.save(store, 4, 2);
  EXPECT_EQ(checkpoints(), (std::vector<std::string>{"step-00000003", "step-00000004"}));
}

TEST_F(RunStoreTest, DamagedOnesAheadDoNotPushOutTheNew) {
  Training training;
  {
    RunStore store(folder_, kRecipe);
    for (const int64_t step : {100, 190, 200}) training.save(store, step);
  }
  for (const char* name : {"step-00000190", "step-00000200"}) {
    flip_byte(step(name) / "weights.safetensors", -20);
  }
  {
    RunStore store(folder_, kRecipe);
    ASSERT_EQ(latest()->state.step, 100);
    training.save(store, 110, 2);
    EXPECT_EQ(checkpoints().size(), 4u);
  }
  RunStore store(folder_, kRecipe);
  const auto resumed = store.resume([this](const std::string& w) { warnings_.push_back(w); });
  ASSERT_TRUE(resumed);
  EXPECT_EQ(resumed->state.step, 110);
  using Names = std::vector<std::string>;
  EXPECT_EQ(checkpoints(), (Names{"step-00000100", "step-00000110", "step-00000190.damaged",
                                  "step-00000200.damaged"}));
  // Nor do they count when the run is as far as they were.
  training.save(store, 195, 2);
  EXPECT_EQ(checkpoints(), (Names{"step-00000110", "step-00000190.damaged", "step-00000195",
                                  "step-00000200.damaged"}));
  training.save(store, 200, 2);
  EXPECT_EQ(checkpoints(), (Names{"step-00000195", "step-00000200", "step-00000200.damaged"}));
  EXPECT_EQ(latest()->state.step, 200);
}

TEST_F(RunStoreTest, DoesNotBeginAnewOverDamagedOnes) {
  Training training;
  {
    RunStore store(folder_, kRecipe);
    training.save(store, 1);
  }
  flip_byte(step("step-00000001") / "weights.safetensors", -20);
  for (const char* name : {"step-00000001", "step-00000001.damaged"}) {
    fs::rename(step(checkpoints()[0]), step(name));
    RunStore store(folder_, kRecipe);
    EXPECT_NE(error_of([&] { store.resume([](const std::string&) {}); }).find("damaged ones only"),
              std::string::npos);
    EXPECT_EQ(checkpoints(), std::vector<std::string>{name});
  }
}

// What is somebody's stays as it is.
TEST_F(RunStoreTest, OtherFoldersAreRefused) {
  fs::create_directories(folder_ / "work.tmp");
  std::ofstream(folder_ / "work.tmp" / "a") << "precious";
  std::ofstream(folder_ / "recipe.toml") << kRecipe;
  EXPECT_NE(error_of([&] { RunStore store(folder_, kRecipe); }).find("new or empty folder"),
            std::string::npos);
  EXPECT_TRUE(fs::exists(folder_ / "work.tmp" / "a"));
  EXPECT_FALSE(fs::exists(folder_ / "run.lock"));
  fs::remove_all(folder_);
  { RunStore store(folder_, kRecipe); }
  std::ofstream(folder_ / "notes.tmp") << "mine";
  RunStore store(folder_, kRecipe);
  EXPECT_TRUE(fs::exists(folder_ / "notes.tmp"));
}

TEST_F(RunStoreTest, AnotherRecipeChangesNothing) {
  { RunStore store(folder_, kRecipe); }
  std::ofstream(step("step-00000001.tmp")) << "half";
  EXPECT_NE(error_of([&] { RunStore store(folder_, "[run]\nseed = 2\n"); }), "");
  EXPECT_TRUE(fs::exists(step("step-00000001.tmp")));
}

TEST_F(RunStoreTest, TakesAwayWhatKilledWritesLeft) {
  { RunStore store(folder_, kRecipe); }
  for (const char* name : {"model", "adapter"}) {
    fs::create_directory(folder_ / name);
    std::ofstream(folder_ / name / "a.safetensors.0123ab.tmp") << "half";
    std::ofstream(folder_ / name / "a.safetensors") << "whole";
  }
  RunStore store(folder_, kRecipe);
  for (const char* name : {"model", "adapter"}) {
    EXPECT_FALSE(fs::exists(folder_ / name / "a.safetensors.0123ab.tmp")) << name;
    EXPECT_TRUE(fs::exists(folder_ / name / "a.safetensors")) << name;
  }
}

TEST_F(RunStoreTest, OneAtATime) {
  RunStore store(folder_, kRecipe);
  EXPECT_NE(error_of([&] { RunStore other(folder_, kRecipe); }).find("another process"),
            std::string::npos);
}

TEST_F(RunStoreTest, TheRecipeStaysTheSame) {
  { RunStore store(folder_, kRecipe); }
  { RunStore again(folder_, kRecipe); }
  EXPECT_NE(error_of([&] { RunStore other(folder_, "[run]\nseed = 2\n"); }).find("recipe"),
            std::string::npos);
  RunStore free_again(folder_, kRecipe);
}

TEST_F(RunStoreTest, AnotherModelIsRefusedByName) {
  Training training;
  RunStore store(folder_, kRecipe);
  training.save(store, 1);
  const SavedRun saved = *latest();
  Training other;
  const auto restore = [&] { restore_checkpoint(saved, other.parameters, *other.optimizer); };
  other.parameters[1].master = Tensor::zeros(DType::kF32, {25, 40});
  EXPECT_NE(error_of(restore).find("tensor 'b.weight': expected F32 [25, 40]"), std::string::npos);
  other.parameters[1].name = "c.weight";
  EXPECT_NE(error_of(restore).find("tensor 'c.weight': missing"), std::string::npos);
  other.parameters.pop_back();
  EXPECT_NE(error_of(restore).find("expected 1 tensors, found 2"), std::string::npos);
}

// Writes checkpoints until it is stopped, and a byte to `starts` before each.
[[noreturn]] void write_forever(const fs::path& folder, int starts) {
  Training training;
  RunStore store(folder, kRecipe);
  const auto saved = latest_checkpoint(folder, [](const std::string&) { std::_Exit(3); });
  for (int64_t step = saved ? saved->state.step + 1 : 1;; ++step) {
    if (::write(starts, "s", 1) != 1) std::_Exit(4);
    training.save(store, step, 2);
  }
}

// Starts write_forever and kills it after it has begun `begun` checkpoints and `wait` more.
void write_and_kill(const fs::path& folder, uint64_t begun, std::chrono::microseconds wait) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) write_forever(folder, ends[1]);
  ::close(ends[1]);
  char start = 0;
  uint64_t got = 0;
  while (got < begun && ::read(ends[0], &start, 1) == 1) ++got;
  std::this_thread::sleep_for(wait);
  ::kill(child, SIGKILL);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ::close(ends[0]);
  ASSERT_EQ(got, begun);
  ASSERT_TRUE(WIFSIGNALED(status)) << "ended with " << status;
}

TEST_F(RunStoreTest, AKillAtAnyMomentLeavesAWholeOne) {
  Training training;
  Rng rng(20261);
  int64_t reached = 1;
  {
    RunStore store(folder_, kRecipe);
    training.save(store, reached);
  }
  int cut_off = 0;
  for (int kill = 0; kill < 50; ++kill) {
    // The second begins when the first is done: there is progress however slow the machine is.
    write_and_kill(folder_, 1 + rng.below(2), std::chrono::microseconds(rng.below(8000)));
    if (HasFatalFailure()) return;
    const auto saved = latest();
    ASSERT_TRUE(saved);
    ASSERT_TRUE(warnings_.empty()) << warnings_[0];
    EXPECT_GE(saved->state.step, reached);
    reached = saved->state.step;
    restore_checkpoint(*saved, training.parameters, *training.optimizer);
    EXPECT_TRUE(training.is_at(reached));
    for (const std::string& name : checkpoints()) cut_off += name.ends_with(".tmp") ? 1 : 0;
  }
  EXPECT_GT(cut_off, 0) << "no kill came while something was written";
  EXPECT_GT(reached, 1);
  RunStore store(folder_, kRecipe);
  for (const std::string& name : checkpoints()) EXPECT_FALSE(name.ends_with(".tmp")) << name;
}

TEST_F(RunStoreTest, NoRoomLeavesTheOthersAlone) {
  Training training;
  {
    RunStore store(folder_, kRecipe);
    training.save(store, 1);
  }
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    // Files may not grow beyond half of what the weights take.
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit = {4000, 4000};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    int code = 2;
    try {
      RunStore store(folder_, kRecipe);
      training.save(store, 2);
    } catch (const Error& error) {
      code = std::strstr(error.what(), "weights.safetensors") != nullptr ? 0 : 3;
    }
    std::_Exit(code);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_EQ(checkpoints(), std::vector<std::string>{"step-00000001"});
  const auto saved = latest();
  ASSERT_TRUE(saved);
  EXPECT_EQ(saved->state.step, 1);
  EXPECT_TRUE(warnings_.empty());
}

}  // namespace
}  // namespace minke
