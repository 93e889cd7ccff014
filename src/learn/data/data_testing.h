#pragma once

// What the tests of this folder make their data with.

#include <filesystem>
#include <string>

#include "base/core/test_folder.h"
#include "learn/data/tokenizer_files.h"
#include "learn/tasks/task.h"

namespace minke::testing {

// The control tokens and the 256 bytes: no merges.
inline TokenizerSpec byte_tokenizer_spec() {
  return training_spec(BpeTrainer(training_stages(), 0).train(256), "byte tokenizer");
}

// Sums of numbers below 10^level; held-out ones are of other numbers, 10^level higher.
class SumTask : public Task {
 public:
  std::string_view name() const override { return "test-sums"; }
  int levels() const override { return 3; }
  Problem make(Language language, int level, Split split, Rng& rng) const override {
    uint64_t bound = 1;
    for (int i = 0; i < level; ++i) bound *= 10;
    const uint64_t base = split == Split::kTrain ? 0 : bound;
    const uint64_t a = base + rng.below(bound), b = base + rng.below(bound);
    Problem problem;
    problem.task = name();
    problem.language = language;
    problem.level = level;
    problem.question = fmt::format("{}: {} + {}?", language_number(language), a, b);
    problem.reasoning = fmt::format("{} and {} make {}.", a, b, a + b);
    problem.answer = fmt::format("\\boxed{{{}}}", a + b);
    problem.solution = std::to_string(a + b);
    return problem;
  }
  bool accepts(const Problem& problem, std::string_view reply) const override {
    return reply == problem.answer;
  }

 private:
  static int language_number(Language language) { return static_cast<int>(language); }
};

}  // namespace minke::testing
