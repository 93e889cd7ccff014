#include <algorithm>
#include <optional>

#include <fmt/core.h>

#include "base/core/check.h"
#include "learn/tasks/boxed.h"
#include "learn/tasks/chain.h"
#include "learn/tasks/split.h"
#include "learn/tasks/word_problems.h"
#include "learn/tasks/wording.h"

namespace minke {
namespace {

constexpr std::string_view kName = "sums";
constexpr int kLevels = 4;
constexpr int kMostStart = 999;

int most_amount(int level) {
  return level <= 2 ? 999 : 9999;
}

// No operation directly again, and one multiplication and one division at most: told twice, the
// same sentence would not make sense.
bool tellable(const std::vector<Op>& ops) {
  for (size_t i = 0; i < ops.size(); ++i) {
    if (i > 0 && ops[i] == ops[i - 1]) return false;
    const bool repeated = std::count(ops.begin(), ops.end(), ops[i]) > 1;
    if (repeated && (ops[i] == Op::kMultiply || ops[i] == Op::kDivide)) return false;
  }
  return true;
}

std::vector<Op> draw_ops(int count, Rng& rng) {
  std::vector<Op> ops;
  do {
    ops.clear();
    for (int i = 0; i < count; ++i) ops.push_back(static_cast<Op>(rng.below(4)));
  } while (!tellable(ops));
  return ops;
}

// A step that leaves at least `least`, and at most `most`; nothing if the drawn one does not.
std::optional<Step> draw_step(Op op, int value, int least, int most, Rng& rng) {
  if (op == Op::kAdd || op == Op::kSubtract) {
    const int room = op == Op::kAdd ? most - value : value - least;
    if (room < 2) return {};
    return Step{op, draw_amount(room, rng)};
  }
  const Step step{op, draw_factor(rng)};
  if (op == Op::kDivide && value % step.operand != 0) return {};
  const int result = applied(value, step);
  if (result < least || result > most) return {};
  return step;
}

std::optional<Chain> draw_numbers(const std::vector<Op>& ops, int most, Rng& rng) {
  Chain chain{draw_amount(kMostStart, rng), {}};
  int value = chain.start;
  for (size_t i = 0; i < ops.size(); ++i) {
    // Nothing can happen to what has been used up.
    const int least = i + 1 < ops.size() ? 2 : 0;
    const auto step = draw_step(ops[i], value, least, most, rng);
    if (!step) return {};
    chain.steps.push_back(*step);
    value = applied(value, *step);
  }
  return chain;
}

Chain draw_chain(int level, Rng& rng) {
  // Numbers are drawn anew for the same operations, for otherwise divisions, which seldom come out
  // even, would be rare.
  constexpr int kDrawsOfNumbers = 1000;
  while (true) {
    const std::vector<Op> ops = draw_ops(level, rng);
    for (int i = 0; i < kDrawsOfNumbers; ++i) {
      if (auto chain = draw_numbers(ops, most_amount(level), rng)) return *std::move(chain);
    }
  }
}

std::string_view sentence_of(const SumStory& story, Op op) {
  const std::string_view sentences[] = {story.more, story.fewer, story.times, story.shared};
  return sentences[static_cast<int>(op)];
}

class SumsTask final : public Task {
 public:
  std::string_view name() const override { return kName; }
  int levels() const override { return kLevels; }

  Problem make(Language language, int level, Split split, Rng& rng) const override {
    CHECK(level >= 1 && level <= kLevels);
    Chain chain;
    do {
      chain = draw_chain(level, rng);
    } while (held_out_key(canonical(kName, chain)) != (split == Split::kHeldOut));

    const bool held_out_wording = draw_held_out_wording(split, rng);
    const SumStory& story = draw_one(of_side(phrases_of(language).sums, held_out_wording), rng);
    Wording wording(language, rng);
    wording.say(story.start, {chain.start});
    for (const Step step : chain.steps) wording.say(sentence_of(story, step.op), {step.operand});
    wording.say(story.question);

    const std::string solution = std::to_string(result_of(chain));
    return {.task = kName,
            .language = language,
            .level = level,
            .question = wording.question(),
            .reasoning = wording.restated() + worked_lines(language, chain),
            .answer = boxed_answer(language, solution),
            .solution = solution};
  }

  bool accepts(const Problem& problem, std::string_view reply) const override {
    return box_holds(reply, problem.solution);
  }

 private:
  static std::string worked_lines(Language language, const Chain& chain) {
    const StepWords& words = phrases_of(language).steps;
    std::string lines = fmt::format("{} {}", words.start, chain.start);
    int value = chain.start;
    for (const Step step : chain.steps) {
      lines += fmt::format("\n{} {}", step_word(words, step.op), worked(value, step));
      value = applied(value, step);
    }
    return lines;
  }
};

}  // namespace

const Task& sums_task() {
  static const SumsTask task;
  return task;
}

}  // namespace minke
