#include <fmt/core.h>

#include "learn/tasks/boxed.h"
#include "learn/tasks/checkable.h"
#include "learn/tasks/code/code_text.h"
#include "learn/tasks/code/listings.h"
#include "learn/tasks/python/python.h"
#include "learn/tasks/split.h"

namespace minke {
namespace {

// What a program prints.
class Trace final : public Task {
 public:
  std::string_view name() const override { return "trace"; }
  int levels() const override { return 4; }

  Problem make(Language language, int level, Split split, Rng& rng) const override {
    std::string listing = random_listing(level, rng);
    while (held_out_key("trace " + listing) != (split == Split::kHeldOut)) {
      listing = random_listing(level, rng);
    }
    const Phrase& question = code_text::kTrace[rng.below(code_text::kTrace.size())];
    Problem problem;
    problem.task = name();
    problem.language = language;
    problem.level = level;
    problem.question =
        fmt::format("{}\n```python\n{}```", in_language(question, language), listing);
    problem.solution = python::run(listing);
    problem.solution.pop_back();  // the end of its line
    problem.reasoning =
        fmt::format("{}\n{}\n{} {}", in_language(code_text::kSteps, language), steps_of(listing),
                    in_language(code_text::kPrints, language), problem.solution);
    problem.answer = boxed_answer(language, problem.solution);
    return problem;
  }

  bool accepts(const Problem& problem, std::string_view reply) const override {
    const auto box = boxed_content(reply);
    return box && !box->empty() && *box == problem.solution;
  }
};

}  // namespace

const Task& trace_task() {
  static const Trace kTask;
  return kTask;
}

}  // namespace minke
