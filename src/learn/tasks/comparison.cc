#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include "base/core/check.h"
#include "learn/tasks/boxed.h"
#include "learn/tasks/chain.h"
#include "learn/tasks/split.h"
#include "learn/tasks/word_problems.h"
#include "learn/tasks/wording.h"

namespace minke {
namespace {

constexpr std::string_view kName = "comparison";
constexpr int kLevels = 3;

enum class Asked { kMost, kFewest, kHowMany, kDifference };
constexpr std::string_view kAskedKeys[] = {"most", "fewest", "how many", "difference"};

struct Amounts {
  Chain chain;              // of two people, the amounts; of more, each from the one before
  std::vector<int> values;  // of each person
  Asked asked = Asked::kMost;
  size_t more = 0;  // whose amount is asked for, and for a difference
  size_t less = 0;  // the other one
};

int most_amount(int level) {
  constexpr int kMost[] = {99, 199, 999};
  return kMost[level - 1];
}

bool all_different(std::vector<int> values) {
  std::sort(values.begin(), values.end());
  return std::adjacent_find(values.begin(), values.end()) == values.end();
}

std::vector<int> draw_values(int level, Rng& rng) {
  std::vector<int> values;
  do {
    values = {draw_amount(most_amount(level), rng)};
    for (int i = 0; i < level; ++i) {
      // About as large as the one before, so that they must be compared.
      const int step = draw_amount(most_amount(level) / 4, rng);
      values.push_back(values.back() + (rng.below(2) == 0 ? step : -step));
    }
  } while (!all_different(values) || *std::min_element(values.begin(), values.end()) < 2 ||
           *std::max_element(values.begin(), values.end()) > most_amount(level));
  return values;
}

Amounts draw_amounts(int level, Rng& rng) {
  Amounts drawn;
  drawn.values = draw_values(level, rng);
  drawn.chain.start = drawn.values[0];
  for (size_t i = 1; i < drawn.values.size(); ++i) {
    const int change = drawn.values[i] - drawn.values[i - 1];
    drawn.chain.steps.push_back({change > 0 ? Op::kAdd : Op::kSubtract, std::abs(change)});
  }
  const size_t last = drawn.values.size() - 1;
  drawn.asked = static_cast<Asked>(rng.below(4));
  if (level == 1 && drawn.asked == Asked::kHowMany) drawn.asked = Asked::kDifference;
  // Of neighbours among more than two people the difference is told.
  drawn.more = drawn.asked == Asked::kHowMany ? last : 0;
  drawn.less = level == 1 ? last : 2 + rng.below(last - 1);
  if (drawn.asked == Asked::kDifference && drawn.values[drawn.more] < drawn.values[drawn.less]) {
    std::swap(drawn.more, drawn.less);
  }
  return drawn;
}

std::string key_of(const Amounts& drawn) {
  std::string key = fmt::format("{} {}", canonical(kName, drawn.chain),
                                kAskedKeys[static_cast<int>(drawn.asked)]);
  if (drawn.asked == Asked::kDifference) key += fmt::format(" {} {}", drawn.more, drawn.less);
  return key;
}

using Names = std::vector<std::string_view>;

// Different people, by their place among the girls and, after them, the boys.
std::vector<size_t> draw_people(const Phrases& phrases, int count, Rng& rng) {
  std::vector<size_t> places(phrases.girls.size() + phrases.boys.size());
  std::iota(places.begin(), places.end(), size_t{0});
  for (size_t i = 0; i < static_cast<size_t>(count); ++i) {
    std::swap(places[i], places[i + rng.below(places.size() - i)]);
  }
  places.resize(static_cast<size_t>(count));
  return places;
}

Names names_of(const Phrases& phrases, const std::vector<size_t>& places) {
  Names names;
  for (const size_t place : places) {
    const size_t girls = phrases.girls.size();
    names.push_back(place < girls ? phrases.girls[place] : phrases.boys[place - girls]);
  }
  return names;
}

void ask_amounts(const AmountTheme& theme, const Amounts& drawn, const Names& names,
                 Wording& wording) {
  wording.say(theme.amount, {drawn.values[0]}, {names[0]});
  const bool two = names.size() == 2;
  for (size_t i = 1; i < names.size(); ++i) {
    const Step step = drawn.chain.steps[i - 1];
    if (two) {
      wording.say(theme.amount, {drawn.values[i]}, {names[i]});
    } else {
      wording.say(step.op == Op::kAdd ? theme.more : theme.fewer, {step.operand},
                  {names[i], names[i - 1]});
    }
  }
  switch (drawn.asked) {
    case Asked::kMost:
      return wording.say(two ? theme.who_more : theme.who_most);
    case Asked::kFewest:
      return wording.say(two ? theme.who_fewer : theme.who_fewest);
    case Asked::kHowMany:
      return wording.say(theme.how_many, {}, {names[drawn.more]});
    case Asked::kDifference:
      return wording.say(theme.difference, {}, {names[drawn.more], names[drawn.less]});
  }
}

struct Worked {
  std::string lines;
  std::string solution;
};

// A line for each person, and one that compares, if something is compared.
Worked work_amounts(const Amounts& drawn, const Names& names) {
  std::string lines = fmt::format("{}: {}", names[0], drawn.values[0]);
  for (size_t i = 1; i < names.size(); ++i) {
    const std::string way = names.size() == 2
                                ? std::to_string(drawn.values[i])
                                : worked(drawn.values[i - 1], drawn.chain.steps[i - 1]);
    lines += fmt::format("\n{}: {}", names[i], way);
  }
  std::vector<int> sorted = drawn.values;
  std::sort(sorted.begin(), sorted.end());
  const auto holder = [&](int value) {
    const auto found = std::find(drawn.values.begin(), drawn.values.end(), value);
    return std::string(names[static_cast<size_t>(found - drawn.values.begin())]);
  };
  if (drawn.asked == Asked::kHowMany) return {lines, std::to_string(drawn.values[drawn.more])};
  if (drawn.asked == Asked::kDifference) {
    const int more = drawn.values[drawn.more];
    const int less = drawn.values[drawn.less];
    lines += "\n" + worked(more, {Op::kSubtract, less});
    return {lines, std::to_string(more - less)};
  }
  const bool most = drawn.asked == Asked::kMost;
  if (most) std::reverse(sorted.begin(), sorted.end());
  const std::string solution = holder(sorted[0]);
  lines += fmt::format("\n{}: {}", fmt::join(sorted, most ? " > " : " < "), solution);
  return {lines, solution};
}

Problem problem_of(Language language, int level, const Wording& wording, Worked worked) {
  return {.task = kName,
          .language = language,
          .level = level,
          .question = wording.question(),
          .reasoning = wording.restated() + worked.lines,
          .answer = boxed_answer(language, worked.solution),
          .solution = worked.solution};
}

Problem make_amounts(Language language, int level, Split split, Rng& rng) {
  const Phrases& phrases = phrases_of(language);
  Amounts drawn;
  do {
    drawn = draw_amounts(level, rng);
  } while (held_out_key(key_of(drawn)) != (split == Split::kHeldOut));
  const auto themes = of_side(phrases.amounts, draw_held_out_wording(split, rng));
  const AmountTheme& theme = draw_one(themes, rng);
  const Names names = names_of(phrases, draw_people(phrases, level + 1, rng));
  Wording wording(language, rng);
  ask_amounts(theme, drawn, names, wording);
  return problem_of(language, level, wording, work_amounts(drawn, names));
}

Problem make_order(Language language, int level, Split split, Rng& rng) {
  const Phrases& phrases = phrases_of(language);
  std::vector<size_t> people;  // the first one first
  bool ask_first = true;
  do {
    people = draw_people(phrases, level + 1, rng);
    ask_first = rng.below(2) == 0;
  } while (held_out_key(fmt::format("{} order {} {}", kName, fmt::join(people, " "),
                                    ask_first ? "first" : "last")) != (split == Split::kHeldOut));
  const auto themes = of_side(phrases.orders, draw_held_out_wording(split, rng));
  const OrderTheme& theme = draw_one(themes, rng);
  const Names names = names_of(phrases, people);
  Wording wording(language, rng);

  std::vector<size_t> told(names.size() - 1);
  std::iota(told.begin(), told.end(), size_t{0});
  for (size_t i = told.size(); i > 1; --i) std::swap(told[i - 1], told[rng.below(i)]);
  for (const size_t i : told) wording.say(theme.before, {}, {names[i], names[i + 1]});
  wording.say(ask_first ? theme.who_first : theme.who_last);
  const std::string solution(ask_first ? names.front() : names.back());
  return problem_of(language, level, wording,
                    {fmt::format("{}: {}", fmt::join(names, " > "), solution), solution});
}

class ComparisonTask final : public Task {
 public:
  std::string_view name() const override { return kName; }
  int levels() const override { return kLevels; }

  Problem make(Language language, int level, Split split, Rng& rng) const override {
    CHECK(level >= 1 && level <= kLevels);
    const bool order = level > 1 && rng.below(4) == 0;
    return order ? make_order(language, level, split, rng)
                 : make_amounts(language, level, split, rng);
  }

  bool accepts(const Problem& problem, std::string_view reply) const override {
    return box_holds(reply, problem.solution);
  }
};

}  // namespace

const Task& comparison_task() {
  static const ComparisonTask task;
  return task;
}

}  // namespace minke
