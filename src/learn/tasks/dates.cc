#include <fmt/core.h>

#include "learn/tasks/boxed.h"
#include "learn/tasks/calendar.h"
#include "learn/tasks/checkable.h"
#include "learn/tasks/split.h"
#include "learn/tasks/texts/dates_text.h"

namespace minke {
namespace {

// Weekdays, days between two dates of a year, and dates some days later.

enum class Kind { kWeekday, kBetween, kLater };

struct Exercise {
  Kind kind = Kind::kWeekday;
  int weekday = 0;
  Date first;
  Date second;  // of kBetween
  int days = 0;
};

int between(Rng& rng, int least, int most) {
  return least + static_cast<int>(rng.below(static_cast<uint64_t>(most - least) + 1));
}

Date random_date(Rng& rng, int last_month) {
  Date date;
  date.year = between(rng, 1990, 2049);
  date.month = between(rng, 1, last_month);
  date.day = between(rng, 1, days_in_month(date.year, date.month));
  return date;
}

Exercise random_exercise(int level, Rng& rng) {
  Exercise made;
  made.kind = static_cast<Kind>(rng.below(3));
  made.weekday = between(rng, 0, 6);
  if (made.kind == Kind::kWeekday) {
    made.days = level == 1   ? between(rng, 2, 50)
                : level == 2 ? between(rng, 51, 150)
                             : between(rng, 151, 999);
  } else if (made.kind == Kind::kBetween) {
    // As many months apart as the level says, at most: 0, 1, and 2 to 4.
    const int months = level == 3 ? between(rng, 2, 4) : level - 1;
    made.first = random_date(rng, 12 - months);
    made.second = {made.first.year, made.first.month + months, 1};
    const int length = days_in_month(made.second.year, made.second.month);
    if (months == 0) {
      made.first.day = between(rng, 1, length - 1);
      made.second.day = between(rng, made.first.day + 1, length);
    } else {
      made.second.day = between(rng, 1, length);
    }
  } else {
    made.first = random_date(rng, 12);
    made.days = level == 1   ? between(rng, 1, 27)
                : level == 2 ? between(rng, 20, 50)
                             : between(rng, 51, 120);
  }
  return made;
}

std::string canonical(const Exercise& made) {
  switch (made.kind) {
    case Kind::kWeekday:
      return fmt::format("dates weekday {} + {}", made.weekday, made.days);
    case Kind::kBetween:
      return fmt::format("dates between {} {}", iso_date(made.first), iso_date(made.second));
    case Kind::kLater:
      return fmt::format("dates later {} + {}", iso_date(made.first), made.days);
  }
  return {};
}

// Exercise by exercise: the question, the steps, and what the box holds.
struct Worked {
  std::string question;
  std::string reasoning;
  std::string solution;
};

Worked weekday_worked(const Exercise& made, Language language, std::string_view wording) {
  const int weeks = made.days / 7;
  const int rest = made.days % 7;
  const std::string_view today = weekday_name(language, made.weekday);
  Worked worked;
  worked.question = filled(wording, {{"weekday", today}, {"days", std::to_string(made.days)}});
  worked.reasoning = fmt::format("{} 7 * {} = {}, {} - {} = {}. {}",
                                 in_language(dates_text::kWeekLength, language), weeks, 7 * weeks,
                                 made.days, 7 * weeks, rest, today);
  for (int i = 1; i <= rest; ++i) {
    worked.reasoning += fmt::format(" → {}", weekday_name(language, (made.weekday + i) % 7));
  }
  worked.solution = weekday_name(language, (made.weekday + rest) % 7);
  return worked;
}

std::string month_length(Language language, const Date& date) {
  return filled(in_language(dates_text::kMonthLength, language),
                {{"month", month_name(language, date.month)},
                 {"days", std::to_string(days_in_month(date.year, date.month))}});
}

Worked between_worked(const Exercise& made, Language language, std::string_view wording) {
  Worked worked;
  worked.question = filled(wording, {{"first", written_date(language, made.first)},
                                     {"second", written_date(language, made.second)}});
  int total = made.second.day - made.first.day;
  if (made.first.month == made.second.month) {
    worked.reasoning = fmt::format("{} - {} = {}", made.second.day, made.first.day, total);
  } else {
    const int length = days_in_month(made.first.year, made.first.month);
    total = length - made.first.day;
    worked.reasoning = fmt::format("{} {} - {} = {}.", month_length(language, made.first), length,
                                   made.first.day, total);
    for (Date at = made.first; at.month < made.second.month; ++at.month) {
      const Date next = {at.year, at.month + 1, 1};
      const bool last = next.month == made.second.month;
      const int days = last ? made.second.day : days_in_month(next.year, next.month);
      worked.reasoning += fmt::format("\n{}: {} + {} = {}", month_name(language, next.month), total,
                                      days, total + days);
      total += days;
    }
  }
  worked.solution = std::to_string(total);
  return worked;
}

Worked later_worked(const Exercise& made, Language language, std::string_view wording) {
  Worked worked;
  worked.question = filled(
      wording, {{"date", written_date(language, made.first)}, {"days", std::to_string(made.days)}});
  Date at = made.first;
  worked.reasoning = fmt::format("{} + {} = {}", at.day, made.days, at.day + made.days);
  at.day += made.days;
  while (at.day > days_in_month(at.year, at.month)) {
    const int length = days_in_month(at.year, at.month);
    worked.reasoning += fmt::format("\n{} {} - {} = {}", month_length(language, at), at.day, length,
                                    at.day - length);
    at.day -= length;
    at = at.month == 12 ? Date{at.year + 1, 1, at.day} : Date{at.year, at.month + 1, at.day};
  }
  worked.reasoning += fmt::format("\n{}", written_date(language, at));
  worked.solution = iso_date(at);
  return worked;
}

Worked worked_of(const Exercise& made, Language language, Split split, Rng& rng) {
  switch (made.kind) {
    case Kind::kWeekday:
      return weekday_worked(made, language, dates_text::kWeekday.pick(language, split, rng));
    case Kind::kBetween:
      return between_worked(made, language, dates_text::kBetween.pick(language, split, rng));
    case Kind::kLater:
      return later_worked(made, language, dates_text::kLater.pick(language, split, rng));
  }
  return {};
}

class Dates final : public Task {
 public:
  std::string_view name() const override { return "dates"; }
  int levels() const override { return 3; }

  Problem make(Language language, int level, Split split, Rng& rng) const override {
    Exercise made = random_exercise(level, rng);
    while (held_out_key(canonical(made)) != (split == Split::kHeldOut)) {
      made = random_exercise(level, rng);
    }
    Worked worked = worked_of(made, language, split, rng);
    Problem problem;
    problem.task = name();
    problem.language = language;
    problem.level = level;
    problem.question = std::move(worked.question);
    problem.reasoning = std::move(worked.reasoning);
    problem.answer = boxed_answer(language, worked.solution);
    problem.solution = std::move(worked.solution);
    return problem;
  }

  bool accepts(const Problem& problem, std::string_view reply) const override {
    const auto box = boxed_content(reply);
    if (!box) return false;
    const auto number = integer_of(problem.solution);
    return number ? integer_of(*box) == number : *box == problem.solution;
  }
};

}  // namespace

const Task& dates_task() {
  static const Dates kTask;
  return kTask;
}

}  // namespace minke
