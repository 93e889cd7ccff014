#include "apps/program.h"

#include <filesystem>
#include <fstream>

#include <fcntl.h>
#include <fmt/core.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cpu/topology.h"
#include "model/families/gguf_tensors.h"
#include "model/families/shapes.h"

namespace minke {
namespace {

namespace fs = std::filesystem;

struct Outcome {
  int code;
  std::string out, err;
};

// A small model with random weights, and the program run in this process.
class Program : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    std::string pattern = (fs::temp_directory_path() / "minke-program-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder() = pattern;
    const auto model = make_model(named_shape("deepseek-v3-mini", 2));
    write_random_gguf(*model, "mini", DType::kQ8_0, 1, folder() / "mini.gguf");
  }
  static void TearDownTestSuite() { fs::remove_all(folder()); }

  static fs::path& folder() {
    static fs::path path;
    return path;
  }
  static std::string model() { return (folder() / "mini.gguf").string(); }
  static std::string file(const std::string& name, std::string_view content) {
    const fs::path path = folder() / name;
    std::ofstream(path, std::ios::binary) << content;
    return path.string();
  }

  // `input` is what standard input gives.
  static Outcome minke(std::vector<std::string> arguments, std::string_view input = "") {
    arguments.insert(arguments.begin(), "minke");
    std::vector<const char*> argv;
    for (const std::string& argument : arguments) argv.push_back(argument.c_str());
    const int old_input = ::dup(STDIN_FILENO);
    const int new_input = ::open(file("input", input).c_str(), O_RDONLY | O_CLOEXEC);
    ::dup2(new_input, STDIN_FILENO);
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    Outcome outcome;
    outcome.code = run_program(static_cast<int>(argv.size()), argv.data(), "0");
    outcome.err = testing::internal::GetCapturedStderr();
    outcome.out = testing::internal::GetCapturedStdout();
    ::dup2(old_input, STDIN_FILENO);
    ::close(old_input);
    ::close(new_input);
    return outcome;
  }

  static void expect_refused(int code, const std::vector<std::string>& arguments,
                             const std::string& says, std::string_view input = "") {
    const Outcome outcome = minke(arguments, input);
    EXPECT_EQ(outcome.code, code) << outcome.err;
    EXPECT_NE(outcome.err.find("minke: " + says), std::string::npos) << outcome.err;
    EXPECT_EQ(outcome.out, "");
  }
};

TEST_F(Program, WhatIsWrongWhateverTheFilesHoldIsWrongUsage) {
  const std::string out = (folder() / "out").string();
  expect_refused(2, {"synth", "--shape", "blue-whale", "-o", out}, "--shape: expected one of");
  expect_refused(2, {"synth", "--shape", "smollm2-135m", "--type", "Q9", "-o", out}, "--type: ");
  expect_refused(2, {"synth", "--shape", "deepseek-v3-mini", "--layers", "6", "-o", out},
                 "--layers: expected 1 to 5 for deepseek-v3-mini, found 6");
  expect_refused(2, {"bench", "--shape", "deepseek-v3-mini", "--layers", "6"},
                 "--layers: expected 1 to 5 for deepseek-v3-mini, found 6");
  expect_refused(2, {"bench", model(), "--shape", "deepseek-v3-mini"}, "usage: expected either");
  expect_refused(2, {"bench"}, "usage: expected either");
  expect_refused(2, {"run", model(), "-p", ""}, "--prompt: expected a text");
  expect_refused(2, {"run", model(), "-p", "x", "--raw", "--system", "y"}, "");
  expect_refused(2, {"run", model(), "-p", "x", "--raw", "--no-think"}, "");
  expect_refused(2, {"run", model(), "-p", "x", "--threads", "1025"},
                 "--threads: expected a whole number from 1 to 1024");
  expect_refused(2, {"logits", model(), "--tokens", "@", "-o", out}, "--tokens: expected the name");
  expect_refused(2, {"logits", model(), "--tokens", "1", "--form", "odd", "-o", out}, "--form: ");
  EXPECT_FALSE(fs::exists(out));
}

TEST_F(Program, MisspeltWordsAreToldTheNearest) {
  expect_refused(2, {"rnu"}, "rnu: not a verb of minke (did you mean run?); see minke --help");
  expect_refused(2, {"whale"}, "whale: not a verb of minke; see minke --help");
  expect_refused(2, {"data", "tokesn"}, "tokesn: not a verb of minke data (did you mean tokens?)");
  expect_refused(2, {"run", model(), "--promt", "x"},
                 "--promt: not an option of minke run (did you mean --prompt?)");
  expect_refused(2, {"run", model(), "--thread=2", "-p", "x"},
                 "--thread=2: not an option of minke run (did you mean --threads?)");
}

TEST_F(Program, HelpIsAVerbToo) {
  const Outcome outcome = minke({"help", "run"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.out, minke({"run", "--help"}).out);
  EXPECT_EQ(minke({"help"}).out, minke({"--help"}).out);
}

TEST_F(Program, OptionsThatDoNotFitAModelAreFailures) {
  expect_refused(1, {"run", model(), "-p", "x", "--raw", "--context", "1000000"}, "context: ");
  expect_refused(1, {"logits", model(), "--tokens", "4096", "-o", (folder() / "out").string()},
                 "token: expected an id from 0 to 4095");
}

// Nobody writes into the pipe: a program that waits for that never ends.
TEST_F(Program, PipesAndDevicesAreNoModels) {
  const std::string pipe = (folder() / "pipe.gguf").string();
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const std::string text = file("text.txt", "some words");
  for (const auto& [path, kind] : {std::pair(pipe, "a pipe"), {"/dev/zero", "a device"}}) {
    const std::string says = path + ": expected a regular file or a folder, found " + kind;
    expect_refused(1, {"inspect", path}, says);
    expect_refused(1, {"run", path, "-p", "x"}, says);
    expect_refused(1, {"perplexity", path, text}, says);
    expect_refused(1, {"tokenize", path, "-p", "x"}, says);
  }
  expect_refused(1, {"perplexity", model(), pipe},
                 pipe + ": expected a regular file, found a pipe");
}

TEST_F(Program, TextsThatAreNotUtf8AreNamedWithTheByte) {
  const std::string what = ": expected UTF-8 text, found byte 0xff at offset 2";
  const std::string bad = "ab\xff";
  expect_refused(2, {"run", model(), "--raw", "-p", bad}, "--prompt" + what);
  expect_refused(2, {"run", model(), "-p", "x", "--system", bad}, "--system" + what);
  expect_refused(2, {"chat", model(), "--system", bad}, "--system" + what);
  expect_refused(2, {"tokenize", model(), "-p", bad}, "--prompt" + what);
  expect_refused(1, {"run", model(), "--raw", "-p", "-"}, "standard input" + what, bad);
  expect_refused(1, {"tokenize", model()}, "standard input" + what, bad);
  const std::string text = file("bad.txt", bad);
  expect_refused(1, {"perplexity", model(), text}, text + what);
  EXPECT_EQ(minke({"tokenize", model()}, "ab").code, 0);
}

TEST_F(Program, ThreadsFarAboveTheCoresAreToldOnce) {
  const std::string many = std::to_string(2 * usable_cores() + 1);
  const auto run = [&](const std::string& threads, const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"run", model(), "--raw",     "-p",   "x",
                                          "-n",  "1",     "--threads", threads};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Outcome outcome = minke(arguments);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    return outcome.err;
  };
  const std::string line =
      fmt::format("minke: --threads: {} are far more than the {} usable cores here, and slower\n",
                  many, usable_cores());
  const std::string told = run(many, {});
  EXPECT_NE(told.find(line), std::string::npos) << told;
  EXPECT_EQ(told.find("--threads:", told.find(line) + line.size()), std::string::npos) << told;
  EXPECT_EQ(run(many, {"--quiet"}), "");
  EXPECT_EQ(run(std::to_string(usable_cores()), {}).find("--threads"), std::string::npos);
}

TEST_F(Program, AReplyThatFillsTheContextSaysSo) {
  const std::vector<std::string> full = {"run",       model(), "--raw",     "-p", "a long prompt",
                                         "--threads", "1",     "--context", "24"};
  const std::string line =
      "minke: the reply was cut: the context of 24 tokens is full; --context allows up to 163840\n";
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), full.begin(), full.end());
    return minke(more);
  };
  EXPECT_NE(with({}).err.find(line), std::string::npos) << with({}).err;
  EXPECT_EQ(with({"--json"}).err, line);
  EXPECT_EQ(with({"--quiet"}).err, "");
  EXPECT_EQ(with({"-n", "2"}).err.find("the reply was cut"), std::string::npos);
}

}  // namespace
}  // namespace minke
