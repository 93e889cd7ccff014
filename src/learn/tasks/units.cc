#include <algorithm>
#include <optional>
#include <span>

#include <fmt/core.h>

#include "base/core/check.h"
#include "learn/tasks/boxed.h"
#include "learn/tasks/chain.h"
#include "learn/tasks/split.h"
#include "learn/tasks/word_problems.h"
#include "learn/tasks/wording.h"

namespace minke {
namespace {

constexpr std::string_view kName = "units";
constexpr int kLevels = 3;
// In a level 1 conversion to small units the result alone may be larger.
constexpr int kMostSmall = 9999;
constexpr int kMostBig = 99;

// How the thing is measured at first. What is in big units is asked for in small ones, and the
// other way round.
enum class Given { kBig, kBoth, kSmall };

struct Measuring {
  Given given = Given::kBig;
  std::vector<Step> changes;  // of the small unit, as they are told
  Chain chain;                // all steps, conversions as well
};

int draw_between(int least, int most, Rng& rng) {
  return least + static_cast<int>(rng.below(static_cast<uint64_t>(most - least + 1)));
}

Step draw_change(Rng& rng) {
  const Op op = static_cast<Op>(rng.below(4));
  const bool sum = op == Op::kAdd || op == Op::kSubtract;
  return {op, sum ? draw_amount(999, rng) : draw_factor(rng)};
}

// Where the steps lead; nothing if a division is not exact or a value leaves 2 to kMostSmall.
std::optional<int> value_after(int value, std::span<const Step> steps) {
  for (const Step step : steps) {
    if (step.op == Op::kDivide && value % step.operand != 0) return {};
    value = applied(value, step);
    if (value < 2 || value > kMostSmall) return {};
  }
  return value;
}

// Makes the last change lead to whole big units, which sums by chance seldom do.
void round_up_or_down(std::vector<Step>& changes, int start, int small_in_big) {
  Step& last = changes.back();
  const auto before = value_after(start, std::span(changes).first(changes.size() - 1));
  if (!before) return;
  if (last.op == Op::kAdd) last.operand = small_in_big - *before % small_in_big;
  if (last.op == Op::kSubtract) last.operand = *before % small_in_big;
}

// Steps of `level` in all: the conversion, the small units beside the big ones, and changes.
// Whether the numbers come out as sensible is not looked at.
Measuring draw_any(Given given, int level, int small_in_big, Rng& rng) {
  Measuring drawn{given, {}, {}};
  Chain& chain = drawn.chain;
  const bool big_alone = given == Given::kBig && level == 1;
  const int most_big = big_alone ? kMostBig : std::min(kMostBig, kMostSmall / small_in_big);
  const bool whole = given != Given::kSmall || level == 1 || rng.below(2) == 0;
  chain.start = whole ? draw_between(2, most_big, rng) : draw_amount(999, rng);
  if (given == Given::kSmall && whole) chain.start *= small_in_big;

  const int changes = given == Given::kBoth ? level - 2 : level - 1;
  for (int i = 0; i < changes; ++i) drawn.changes.push_back(draw_change(rng));
  if (given == Given::kSmall) {
    if (changes > 0) round_up_or_down(drawn.changes, chain.start, small_in_big);
    chain.steps = drawn.changes;
    chain.steps.push_back({Op::kDivide, small_in_big});
    return drawn;
  }
  chain.steps.push_back({Op::kMultiply, small_in_big});
  if (given == Given::kBoth)
    chain.steps.push_back({Op::kAdd, draw_between(2, small_in_big - 1, rng)});
  chain.steps.insert(chain.steps.end(), drawn.changes.begin(), drawn.changes.end());
  return drawn;
}

// What is told is no number below 2, and no change is told twice.
bool sensible(const Measuring& drawn) {
  const auto& changes = drawn.changes;
  const auto tiny = [](Step step) { return step.operand < 2; };
  return value_after(drawn.chain.start, drawn.chain.steps) && std::ranges::none_of(changes, tiny) &&
         (changes.size() < 2 || changes[0].op != changes[1].op);
}

// Draws until one belongs to the split. Nothing if that takes too long: some measures have no
// held-out numbers on a level.
std::optional<Measuring> draw_measuring(int level, int small_in_big, Split split, Rng& rng) {
  constexpr Given kGiven[] = {Given::kBig, Given::kSmall, Given::kBoth};
  constexpr int kDraws = 2000;
  for (int draw = 0; draw < kDraws; ++draw) {
    // Drawn anew each time, for not every kind has held-out numbers on every level.
    const Given given = kGiven[rng.below(level == 1 ? 2 : 3)];
    Measuring drawn = draw_any(given, level, small_in_big, rng);
    if (level > 1 && !sensible(drawn)) continue;
    const bool held_out = held_out_key(canonical(kName, drawn.chain));
    if (held_out == (split == Split::kHeldOut)) return drawn;
  }
  return std::nullopt;
}

std::string asked(const MeasureStory& story, const Measuring& drawn, Wording& wording) {
  const Chain& chain = drawn.chain;
  if (drawn.given == Given::kBig) wording.say(story.in_big, {chain.start});
  if (drawn.given == Given::kSmall) wording.say(story.in_small, {chain.start});
  if (drawn.given == Given::kBoth) {
    wording.say(story.in_both, {chain.start, chain.steps[1].operand});
  }
  const std::string_view changes[] = {story.more, story.fewer, story.times, story.shared};
  for (const Step step : drawn.changes) {
    wording.say(changes[static_cast<int>(step.op)], {step.operand});
  }
  wording.say(drawn.given == Given::kSmall ? story.ask_big : story.ask_small);
  return wording.question();
}

// Conversions are the only steps by `small_in_big` up or down, and begin with the unit they lead
// to.
std::string worked_lines(const StepWords& words, const MeasureStory& story,
                         const Measuring& drawn) {
  const Chain& chain = drawn.chain;
  const bool to_big = drawn.given == Given::kSmall;
  const size_t conversion = to_big ? chain.steps.size() - 1 : 0;
  const std::string_view unit = to_big ? story.big_name : story.small_name;
  std::string lines;
  int value = chain.start;
  for (size_t i = 0; i < chain.steps.size(); ++i) {
    const Step step = chain.steps[i];
    const std::string head =
        i == conversion ? fmt::format("{}:", unit) : std::string(step_word(words, step.op));
    lines += fmt::format("{}{} {}", i == 0 ? "" : "\n", head, worked(value, step));
    value = applied(value, step);
  }
  return lines;
}

class UnitsTask final : public Task {
 public:
  std::string_view name() const override { return kName; }
  int levels() const override { return kLevels; }

  Problem make(Language language, int level, Split split, Rng& rng) const override {
    CHECK(level >= 1 && level <= kLevels);
    const Phrases& phrases = phrases_of(language);
    bool held_out_wording = draw_held_out_wording(split, rng);
    while (true) {
      const MeasureStory& story = draw_one(of_side(phrases.measures, held_out_wording), rng);
      if (const auto drawn = draw_measuring(level, story.small_in_big, split, rng)) {
        return problem_of(language, level, story, *drawn, rng);
      }
      // The wordings that are not held out have measures with held-out numbers on every level.
      held_out_wording = false;
    }
  }

  bool accepts(const Problem& problem, std::string_view reply) const override {
    return box_holds(reply, problem.solution);
  }

 private:
  static Problem problem_of(Language language, int level, const MeasureStory& story,
                            const Measuring& drawn, Rng& rng) {
    Wording wording(language, rng);
    const std::string solution = std::to_string(result_of(drawn.chain));
    return {
        .task = kName,
        .language = language,
        .level = level,
        .question = asked(story, drawn, wording),
        .reasoning = wording.restated() + worked_lines(phrases_of(language).steps, story, drawn),
        .answer = boxed_answer(language, solution),
        .solution = solution};
  }
};

}  // namespace

const Task& units_task() {
  static const UnitsTask task;
  return task;
}

}  // namespace minke
