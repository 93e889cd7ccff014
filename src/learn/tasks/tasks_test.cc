#include <algorithm>
#include <chrono>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include <fmt/core.h>
#include <gtest/gtest.h>

#include "base/core/error.h"
#include "base/core/utf8.h"
#include "learn/tasks/boxed.h"
#include "learn/tasks/calendar.h"
#include "learn/tasks/phrases/phrase.h"
#include "learn/tasks/python/python.h"
#include "learn/tasks/task.h"
#include "learn/tasks/texts/dates_text.h"
#include "learn/tasks/texts/money_text.h"

namespace minke {
namespace {

constexpr std::string_view kChecked[] = {"countdown", "dates", "money", "trace", "complete"};
constexpr uint64_t kSeeds = 60;

// Calls `look` with problems of every task, language, level and split.
template <typename Look>
void each_problem(Look look) {
  for (const std::string_view name : kChecked) {
    const Task& task = task_named(name);
    for (const Language language : kLanguages) {
      for (int level = 1; level <= task.levels(); ++level) {
        for (const Split split : {Split::kTrain, Split::kHeldOut}) {
          for (uint64_t seed = 0; seed < kSeeds; ++seed) {
            Rng rng(1000 * seed + static_cast<uint64_t>(level));
            look(task, split, task.make(language, level, split, rng), seed);
          }
        }
      }
    }
  }
}

std::string box(std::string_view content) {
  return fmt::format("\\boxed{{{}}}", content);
}

std::vector<int> numbers_in(std::string_view text) {
  std::vector<int> numbers;
  bool inside = false;
  for (const char c : text) {
    const bool digit = c >= '0' && c <= '9';
    if (digit && !inside) numbers.push_back(0);
    if (digit) numbers.back() = 10 * numbers.back() + (c - '0');
    inside = digit;
  }
  return numbers;
}

// More than the tokens of a vocabulary trained on such text: each digit and sign one, words and
// letters of other scripts by their bytes.
size_t rough_tokens(std::string_view text) {
  double tokens = 0;
  for (const char c : text) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    tokens += c == ' ' ? 0 : letter ? 0.3 : (c & 0x80) != 0 ? 0.25 : 1;
  }
  return static_cast<size_t>(tokens);
}

TEST(Tasks, ProblemsAreTheSameEachTimeAndAcceptTheirAnswers) {
  each_problem([](const Task& task, Split split, const Problem& problem, uint64_t seed) {
    Rng rng(1000 * seed + static_cast<uint64_t>(problem.level));
    const Problem again = task.make(problem.language, problem.level, split, rng);
    ASSERT_EQ(problem.question, again.question);
    ASSERT_EQ(problem.reasoning, again.reasoning);
    ASSERT_EQ(problem.answer, again.answer);
    ASSERT_EQ(problem.solution, again.solution);
    ASSERT_EQ(problem.task, task.name());
    ASSERT_TRUE(task.accepts(problem, problem.answer)) << problem.question << problem.answer;
    for (const std::string* text : {&problem.question, &problem.reasoning, &problem.answer}) {
      ASSERT_TRUE(utf8_valid(*text)) << *text;
      ASSERT_FALSE(text->empty());
      ASSERT_EQ(text->find('{', text == &problem.answer ? text->find("{") + 1 : 0),
                std::string::npos)
          << *text;
    }
    ASSERT_EQ(problem.reasoning.find("boxed"), std::string::npos);
  });
}

TEST(Tasks, OtherRepliesAreRefused) {
  each_problem([](const Task& task, Split, const Problem& problem, uint64_t) {
    const std::string content(*boxed_content(problem.answer));
    for (const std::string& reply : {std::string(),
                                     content,
                                     problem.solution,
                                     box(""),
                                     problem.answer + problem.answer,
                                     problem.answer + box("1"),
                                     box(content + content),
                                     box(content + " = 1"),
                                     box("\"" + content + "\""),
                                     box(content + "\n" + content),
                                     box("$" + content + "$"),
                                     "\\boxed{" + content,
                                     "boxed{" + content + "}",
                                     box(box(content)),
                                     box(content + ";"),
                                     box("\\text{" + content + "}"),
                                     box(content + " or 7"),
                                     box(content + std::string("\0x", 2)),
                                     box("answer " + content),
                                     problem.question,
                                     problem.reasoning}) {
      // In a program that may be right.
      if (problem.task == "complete" && reply.ends_with(" or 7}")) continue;
      ASSERT_FALSE(task.accepts(problem, reply)) << problem.question << "\n" << reply;
    }
  });
}

TEST(Tasks, AnswersOfOtherProblemsAreRefused) {
  size_t agreed = 0;
  size_t asked = 0;
  std::map<std::string, Problem> before;
  each_problem([&](const Task& task, Split, const Problem& problem, uint64_t) {
    const std::string key =
        fmt::format("{} {} {}", problem.task, language_code(problem.language), problem.level);
    const auto other = before.find(key);
    if (other != before.end() && other->second.solution != problem.solution) {
      ++asked;
      if (task.accepts(problem, other->second.answer)) ++agreed;
    }
    before[key] = problem;
  });
  // Only fills of programs can be right for two problems.
  EXPECT_GT(asked, 5000u);
  EXPECT_LT(agreed, asked / 100);
}

// What `left`, "3 + 4 * 2", is worth.
std::string worth(std::string left) {
  for (size_t at = left.find(" / "); at != std::string::npos; at = left.find(" / ")) {
    left.replace(at, 3, " // ");
  }
  std::string printed = python::run("print(" + left + ")\n");
  printed.pop_back();
  return printed;
}

TEST(Tasks, EquationsOfTheReasoningHold) {
  const std::regex equation(R"((-?\d+(?: (?:\+|-|\*|//|/|%) -?\d+)+) = (-?\d+))");
  size_t equations = 0;
  each_problem([&](const Task& task, Split, const Problem& problem, uint64_t) {
    const std::string& text = problem.reasoning;
    std::string last;
    for (std::sregex_iterator at(text.begin(), text.end(), equation), end; at != end; ++at) {
      ++equations;
      last = (*at)[2];
      ASSERT_EQ(worth((*at)[1]), last) << text;
    }
    if (task.name() == "money") {
      ASSERT_EQ(last, problem.solution) << text;
    }
  });
  EXPECT_GT(equations, 10000u);
}

TEST(Tasks, ReasoningIsShort) {
  std::map<std::string_view, std::pair<size_t, size_t>> sums;
  each_problem([&](const Task& task, Split, const Problem& problem, uint64_t) {
    const size_t tokens = rough_tokens(problem.reasoning);
    ASSERT_LT(tokens, 150u) << problem.reasoning;
    sums[task.name()].first += tokens;
    ++sums[task.name()].second;
  });
  for (const auto& [name, sum] : sums) EXPECT_LT(sum.first / sum.second, 70u) << name;
}

// What a problem asks without its wording.
std::string facts(const Problem& problem) {
  if (problem.task == "countdown") {
    std::vector<int> numbers = numbers_in(problem.solution);
    std::sort(numbers.begin(), numbers.end() - 1);
    std::string text;
    for (const int number : numbers) text += fmt::format(" {}", number);
    return text;
  }
  const size_t code = problem.question.find("```python");
  if (code != std::string::npos) {
    const size_t end = problem.question.find("```", code + 3);
    const size_t wanted = problem.question.find("```", end + 3);
    return problem.question.substr(code, end - code) +
           (wanted == std::string::npos ? "" : problem.question.substr(wanted));
  }
  std::string text(language_code(problem.language));
  for (const int number : numbers_in(problem.question)) text += fmt::format(" {}", number);
  return text + problem.reasoning;
}

TEST(Tasks, SplitsShareNoProblem) {
  std::map<std::string_view, std::set<std::string>> trained;
  each_problem([&](const Task& task, Split split, const Problem& problem, uint64_t) {
    if (split == Split::kTrain) trained[task.name()].insert(facts(problem));
  });
  each_problem([&](const Task& task, Split split, const Problem& problem, uint64_t) {
    if (split == Split::kHeldOut) {
      ASSERT_FALSE(trained[task.name()].contains(facts(problem))) << problem.question;
    }
  });
  for (const auto& [name, problems] : trained) EXPECT_GT(problems.size(), 100u) << name;
}

// Whether `question` is `wording` with something filled in for each field.
bool asks(std::string_view question, std::string_view wording) {
  const size_t first = wording.find('{');
  if (!question.starts_with(wording.substr(0, first))) return false;
  size_t at = first;
  while (true) {
    wording.remove_prefix(wording.find('}') + 1);
    const size_t open = wording.find('{');
    if (open == std::string_view::npos) break;
    const std::string_view literal = wording.substr(0, open);
    at = question.find(literal, at);
    if (at == std::string_view::npos) return false;
    at += literal.size();
  }
  return question.size() >= at + wording.size() && question.ends_with(wording);
}

TEST(Tasks, EveryWordingIsPickedAsOftenAsOthersOfItsSide) {
  constexpr size_t kPicks = 48'000;
  for (const Split split : {Split::kTrain, Split::kHeldOut}) {
    const bool held_out = split == Split::kHeldOut;
    std::map<std::string_view, double> picked;
    Rng rng(7);
    for (size_t i = 0; i < kPicks; ++i) {
      ++picked[money_text::kTotal.pick(Language::kEnglish, split, rng)];
    }
    for (size_t way = 0; way < Wordings::kCount; ++way) {
      const size_t trained = Wordings::kTrained;
      const double kept_share = held_out ? 0.5 / (Wordings::kCount - trained) : 0;
      const double share = way < trained ? (held_out ? 0.5 : 1) / trained : kept_share;
      EXPECT_NEAR(picked[in_language(money_text::kTotal.ways[way], Language::kEnglish)],
                  kPicks * share, kPicks * share / 10)
          << way;
    }
  }
}

TEST(Tasks, KeptWordingsAreNotTrained) {
  const std::map<std::string_view, std::vector<const Wordings*>> wordings = {
      {"dates", {&dates_text::kWeekday, &dates_text::kBetween, &dates_text::kLater}},
      {"money", {&money_text::kTotal, &money_text::kChange, &money_text::kShare}}};
  size_t kept = 0;
  size_t measured = 0;
  each_problem([&](const Task& task, Split split, const Problem& problem, uint64_t) {
    const auto lists = wordings.find(task.name());
    if (lists == wordings.end()) return;
    bool of_kept = false;
    bool of_trained = false;
    for (const Wordings* const list : lists->second) {
      for (size_t way = 0; way < Wordings::kCount; ++way) {
        const std::string_view wording = in_language(list->ways[way], problem.language);
        if (!asks(problem.question, wording)) continue;
        (way < Wordings::kTrained ? of_trained : of_kept) = true;
      }
    }
    ASSERT_NE(of_kept, of_trained) << problem.question;
    if (split == Split::kTrain) {
      ASSERT_FALSE(of_kept) << problem.question;
    } else {
      ++measured;
      kept += of_kept ? 1 : 0;
    }
  });
  EXPECT_NEAR(static_cast<double>(kept), static_cast<double>(measured) / 2,
              static_cast<double>(measured) / 10);
}

std::chrono::sys_days day_at(const std::vector<int>& numbers, size_t i) {
  using namespace std::chrono;
  return sys_days(year(numbers[i]) / month(static_cast<unsigned>(numbers[i + 1])) /
                  day(static_cast<unsigned>(numbers[i + 2])));
}

// Chinese questions write dates in digits, the first before the second or before the days.
TEST(Tasks, DatesAgreeWithTheCalendarOfTheLibrary) {
  size_t kinds[3] = {};
  each_problem([&](const Task& task, Split, const Problem& problem, uint64_t) {
    if (task.name() != "dates" || problem.language != Language::kChinese) return;
    const std::vector<int> numbers = numbers_in(problem.question);
    if (numbers.size() == 1) {
      ++kinds[0];
      int today = 0;
      // The example of the form of an answer names Monday too.
      for (int other = 1; other < 7; ++other) {
        if (problem.question.find(weekday_name(problem.language, other)) != std::string::npos) {
          today = other;
        }
      }
      EXPECT_EQ(problem.solution, weekday_name(problem.language, (today + numbers[0]) % 7));
    } else if (numbers.size() == 6) {
      ++kinds[1];
      const auto days = day_at(numbers, 3) - day_at(numbers, 0);
      EXPECT_EQ(problem.solution, std::to_string(days.count())) << problem.question;
    } else {
      ++kinds[2];
      ASSERT_EQ(numbers.size(), 4u) << problem.question;
      const std::chrono::year_month_day date = day_at(numbers, 0) + std::chrono::days(numbers[3]);
      EXPECT_EQ(problem.solution, iso_date({static_cast<int>(date.year()),
                                            static_cast<int>(static_cast<unsigned>(date.month())),
                                            static_cast<int>(static_cast<unsigned>(date.day()))}));
    }
  });
  for (const size_t count : kinds) EXPECT_GT(count, 50u);
}

TEST(Tasks, NamesAndCodes) {
  for (const Language language : kLanguages) {
    EXPECT_EQ(language_from_code(language_code(language)), language);
  }
  EXPECT_THROW(language_from_code("fr"), Error);
  EXPECT_THROW(language_from_code(""), Error);
  EXPECT_THROW(task_named("chess"), Error);
  for (const Task* task : all_tasks()) EXPECT_EQ(&task_named(task->name()), task);
}

}  // namespace
}  // namespace minke
