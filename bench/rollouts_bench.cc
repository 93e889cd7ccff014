// Tokens per second of the replies that reinforcement samples, by how many are sampled at a time.
//
//   minke convert models/minke-micro.gguf build/minke-micro --type BF16
//   rollouts_bench build/minke-micro --slots 1,32

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "base/core/error.h"
#include "base/cpu/isa.h"
#include "learn/eval/questions.h"
#include "learn/rl/rollouts.h"
#include "learn/tasks/task.h"
#include "model/families/bundle.h"

namespace minke {
namespace {

struct Settings {
  std::string model;
  std::vector<int64_t> slots = {1, 32};
  int64_t questions = 8, group = 16, reply_tokens = 256, context = 512;
  int threads = 0, repeat = 3;
};

// Questions from all over the tasks and languages.
std::vector<Question> some_questions(int64_t count) {
  TaskQuestions options;
  options.tasks.assign(all_tasks().begin(), all_tasks().end());
  options.languages.assign(kLanguages.begin(), kLanguages.end());
  options.levels = {2};
  options.problems = 1;
  std::vector<Question> all = task_questions(options);
  const auto size = static_cast<int64_t>(all.size());
  std::vector<Question> questions;
  for (int64_t i = 0; i < std::min(count, size); ++i) {
    questions.push_back(std::move(all[static_cast<size_t>(i * size / std::min(count, size))]));
  }
  return questions;
}

struct Sampled {
  double seconds = 0;
  int64_t tokens = 0;
};

Sampled sample(RolloutSampler& sampler, const std::vector<Question>& questions, uint64_t seed) {
  std::vector<uint64_t> numbers(questions.size());
  std::iota(numbers.begin(), numbers.end(), 0);
  // As after a step of training: nothing is known of the prompts any more.
  sampler.weights_changed();
  const auto begin = std::chrono::steady_clock::now();
  Sampled result;
  for (const RolloutGroup& group : sampler.sample(questions, numbers, seed, [] { return true; })) {
    for (const Rollout& r : group.rollouts) result.tokens += static_cast<int64_t>(r.tokens.size());
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  result.seconds = took.count();
  return result;
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

void run(const Settings& settings) {
  const Bundle bundle = load_bundle(settings.model);
  const std::vector<Question> questions = some_questions(settings.questions);
  std::vector<std::unique_ptr<RolloutSampler>> samplers;
  for (const int64_t slots : settings.slots) {
    RolloutOptions options;
    options.batch.session.threads = settings.threads;
    options.batch.session.isa = chosen_isa();
    options.batch.session.context = settings.context;
    options.batch.slots = slots;
    options.group = settings.group;
    options.reply_tokens = settings.reply_tokens;
    samplers.push_back(
        std::make_unique<RolloutSampler>(*bundle.model, bundle.require_tokenizer(), options));
  }
  std::vector<std::vector<double>> speeds(settings.slots.size());
  std::vector<Sampled> last(settings.slots.size());
  // In turn, so that whatever else the machine does meets all of them.
  for (int turn = 0; turn < settings.repeat; ++turn) {
    for (size_t i = 0; i < settings.slots.size(); ++i) {
      last[i] = sample(*samplers[i], questions, 1);
      speeds[i].push_back(static_cast<double>(last[i].tokens) / last[i].seconds);
    }
  }
  std::printf("%zu questions, %lld replies to each\n", questions.size(),
              static_cast<long long>(settings.group));
  std::printf("slots  tokens   tokens/s  ratio\n");
  for (size_t i = 0; i < settings.slots.size(); ++i) {
    const double speed = median(speeds[i]);
    std::printf("%5lld  %6lld  %9.0f  %5.2f\n", static_cast<long long>(settings.slots[i]),
                static_cast<long long>(last[i].tokens), speed, speed / median(speeds[0]));
  }
}

}  // namespace
}  // namespace minke

int main(int argc, char** argv) {
  CLI::App app{"Tokens per second of sampled replies"};
  minke::Settings settings;
  app.add_option("model", settings.model, "folder of a model in BF16")->required();
  app.add_option("--slots", settings.slots, "sequences at a time")
      ->delimiter(',')
      ->check(CLI::PositiveNumber);
  app.add_option("--questions", settings.questions, "of all tasks, at level 2")
      ->check(CLI::PositiveNumber);
  app.add_option("--group", settings.group, "replies to each question")->check(CLI::PositiveNumber);
  app.add_option("--reply-tokens", settings.reply_tokens, "most tokens of a reply")
      ->check(CLI::PositiveNumber);
  app.add_option("--context", settings.context, "most tokens of question and reply");
  app.add_option("-t,--threads", settings.threads, "0: as many as there are cores");
  app.add_option("--repeat", settings.repeat, "turns; the median counts")
      ->check(CLI::PositiveNumber);
  CLI11_PARSE(app, argc, argv);
  try {
    minke::run(settings);
  } catch (const minke::Error& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
  }
  return 0;
}
