#include "learn/tasks/word_problems.h"

#include <algorithm>
#include <functional>
#include <set>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/core/utf8.h"
#include "learn/tasks/boxed.h"
#include "learn/tasks/phrases/phrases.h"
#include "learn/tasks/split.h"

namespace minke {
namespace {

constexpr uint64_t kSeeds = 300;

const Task* const kTasks[] = {&sums_task(), &comparison_task(), &units_task()};

void for_each_problem(const Task& task,
                      const std::function<void(const Problem&, Split, uint64_t)>& look) {
  for (const Language language : kLanguages) {
    for (int level = 1; level <= task.levels(); ++level) {
      for (const Split split : {Split::kTrain, Split::kHeldOut}) {
        for (uint64_t seed = 0; seed < kSeeds; ++seed) {
          Rng rng(seed);
          look(task.make(language, level, split, rng), split, seed);
          if (testing::Test::HasFailure()) return;
        }
      }
    }
  }
}

std::vector<std::string> pieces_of(std::string_view text, std::string_view separator) {
  std::vector<std::string> pieces;
  for (size_t end = 0; end != std::string_view::npos;) {
    end = text.find(separator);
    pieces.emplace_back(text.substr(0, end));
    if (end != std::string_view::npos) text.remove_prefix(end + separator.size());
  }
  return pieces;
}

// "20 * 7 + 3 * 7": products and quotients of integers, then sums of them from left to right.
int64_t evaluated(const std::string& expression) {
  const auto tokens = pieces_of(expression, " ");
  int64_t sum = 0;
  int64_t term = integer_of(tokens.at(0)).value();
  int64_t sign = 1;
  for (size_t i = 1; i + 1 < tokens.size(); i += 2) {
    const int64_t next = integer_of(tokens[i + 1]).value();
    if (tokens[i] == "*") {
      term *= next;
    } else if (tokens[i] == "/") {
      EXPECT_EQ(term % next, 0) << expression;
      term /= next;
    } else {
      EXPECT_TRUE(tokens[i] == "+" || tokens[i] == "-") << expression;
      sum += sign * term;
      sign = tokens[i] == "+" ? 1 : -1;
      term = next;
    }
  }
  return sum + sign * term;
}

// A line of reasoning that calculates: "12 + 5 = 17" without the word or name before it.
std::vector<std::string> calculations_of(const Problem& problem) {
  std::vector<std::string> lines;
  for (const std::string& line : pieces_of(problem.reasoning, "\n")) {
    const bool calculates =
        std::ranges::any_of(std::array{" + ", " - ", " * ", " / "},
                            [&](const char* op) { return line.find(op) != std::string::npos; });
    if (calculates) lines.push_back(line.substr(line.find_first_of("0123456789")));
  }
  return lines;
}

// The numbers and operations of the lines: "sums 12 +5 *3".
std::string key_of_chain(const Problem& problem) {
  std::string key(problem.task);
  for (const std::string& line : calculations_of(problem)) {
    const auto tokens = pieces_of(line, " ");
    if (key == problem.task) key += " " + tokens.at(0);
    key += " " + tokens.at(1) + tokens.at(2);
  }
  return key;
}

struct Person {
  std::string name;
  int64_t amount;
};

// From lines "Mia: 12 + 5 = 17".
std::vector<Person> people_of(const Problem& problem) {
  std::vector<Person> people;
  for (const std::string& line : pieces_of(problem.reasoning, "\n")) {
    const size_t colon = line.find(": ");
    const bool named = colon != std::string::npos && !(line[0] >= '0' && line[0] <= '9');
    const auto amount = integer_of(pieces_of(line, " ").back());
    if (named && amount) people.push_back({line.substr(0, colon), *amount});
  }
  return people;
}

std::string order_key(const Problem& problem) {
  const Phrases& phrases = phrases_of(problem.language);
  const std::string names = problem.reasoning.substr(0, problem.reasoning.find(':'));
  std::string key = "comparison order";
  for (const std::string& name : pieces_of(names, " > ")) {
    const auto girl = std::ranges::find(phrases.girls, name);
    const auto boy = std::ranges::find(phrases.boys, name);
    EXPECT_TRUE(girl != phrases.girls.end() || boy != phrases.boys.end()) << name;
    key += fmt::format(" {}", girl != phrases.girls.end()
                                  ? girl - phrases.girls.begin()
                                  : std::ssize(phrases.girls) + (boy - phrases.boys.begin()));
  }
  return key + (names.starts_with(problem.solution) ? " first" : " last");
}

std::string comparison_key(const Problem& problem) {
  const auto people = people_of(problem);
  if (people.empty()) return order_key(problem);
  std::string key = fmt::format("comparison {}", people[0].amount);
  for (size_t i = 1; i < people.size(); ++i) {
    const int64_t change = people[i].amount - people[i - 1].amount;
    key += fmt::format(" {}{}", change > 0 ? '+' : '-', std::abs(change));
  }
  const std::string last = pieces_of(problem.reasoning, "\n").back();
  if (last.find(" > ") != std::string::npos) return key + " most";
  if (last.find(" < ") != std::string::npos) return key + " fewest";
  if (integer_of(last.substr(0, 1)) != std::nullopt) {
    const auto tokens = pieces_of(last, " ");
    const auto place = [&](const std::string& amount) {
      return std::ranges::find(people, *integer_of(amount), &Person::amount) - people.begin();
    };
    return key + fmt::format(" difference {} {}", place(tokens.at(0)), place(tokens.at(2)));
  }
  return key + " how many";
}

bool has_latin_letter(const std::string& text) {
  return std::ranges::any_of(
      text, [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); });
}

// Whether `text` has the parts of the sentence that stand between its slots, in their order.
bool tells(const std::string& text, std::string_view sentence) {
  size_t at = 0;
  for (const std::string& piece : pieces_of(sentence, "{")) {
    const size_t close = piece.find('}');
    const std::string literal = close == std::string::npos ? piece : piece.substr(close + 1);
    at = text.find(literal, at);
    if (at == std::string::npos) return false;
    at += literal.size();
  }
  return true;
}

// The first sentences of the phrases that a question may begin with.
std::vector<std::string_view> beginnings(Language language, std::string_view task, bool held_out) {
  std::vector<std::string_view> sentences;
  const auto add = [&](auto list, auto... sentence) {
    const size_t kept = list.size() - list.size() / 5;
    const auto side = held_out ? list.subspan(kept) : list.first(kept);
    for (const auto& item : side) (sentences.push_back(item.*sentence), ...);
  };
  const Phrases& phrases = phrases_of(language);
  if (task == "sums") add(phrases.sums, &SumStory::start);
  if (task == "comparison") {
    add(phrases.amounts, &AmountTheme::amount);
    add(phrases.orders, &OrderTheme::before);
  }
  if (task == "units") {
    add(phrases.measures, &MeasureStory::in_small, &MeasureStory::in_big, &MeasureStory::in_both);
  }
  return sentences;
}

TEST(WordProblems, AreTheSameForTheSameSeed) {
  for (const Task* task : kTasks) {
    for_each_problem(*task, [&](const Problem& problem, Split split, uint64_t seed) {
      Rng rng(seed);
      const Problem again = task->make(problem.language, problem.level, split, rng);
      EXPECT_EQ(problem.question, again.question);
      EXPECT_EQ(problem.reasoning, again.reasoning);
      EXPECT_EQ(problem.answer, again.answer);
      EXPECT_EQ(problem.solution, again.solution);
      EXPECT_EQ(problem.task, task->name());
    });
  }
}

TEST(WordProblems, CalculateRightUpToTheSolution) {
  for (const Task* task : kTasks) {
    for_each_problem(*task, [](const Problem& problem, Split, uint64_t) {
      const auto lines = calculations_of(problem);
      for (const std::string& line : lines) {
        const auto sides = pieces_of(line, " = ");
        EXPECT_GE(sides.size(), 2U) << line;
        for (const std::string& side : sides) {
          EXPECT_EQ(evaluated(side), evaluated(sides.back())) << problem.reasoning;
        }
      }
      if (integer_of(problem.solution)) {
        ASSERT_FALSE(lines.empty()) << problem.reasoning;
        EXPECT_EQ(pieces_of(lines.back(), " = ").back(), problem.solution);
      }
    });
  }
}

TEST(WordProblems, SumsHaveAStepALevelAndStayInTheirRange) {
  for_each_problem(sums_task(), [](const Problem& problem, Split, uint64_t) {
    const auto lines = calculations_of(problem);
    EXPECT_EQ(lines.size(), static_cast<size_t>(problem.level)) << problem.reasoning;
    for (const std::string& line : lines) {
      const int64_t result = evaluated(pieces_of(line, " = ").back());
      EXPECT_GE(result, 0);
      EXPECT_LE(result, problem.level <= 2 ? 999 : 9999) << problem.question;
    }
  });
}

TEST(WordProblems, UnitsHaveAStepALevel) {
  for_each_problem(units_task(), [](const Problem& problem, Split, uint64_t) {
    EXPECT_EQ(calculations_of(problem).size(), static_cast<size_t>(problem.level))
        << problem.reasoning;
  });
}

TEST(WordProblems, ComparisonsNameTheRightPerson) {
  for_each_problem(comparison_task(), [](const Problem& problem, Split, uint64_t) {
    const auto people = people_of(problem);
    if (integer_of(problem.solution) || people.empty()) return;
    EXPECT_EQ(people.size(), static_cast<size_t>(problem.level) + 1);
    const auto less = [](const Person& a, const Person& b) { return a.amount < b.amount; };
    const auto [fewest, most] = std::ranges::minmax_element(people, less);
    const bool ask_most = problem.reasoning.find(" > ") != std::string::npos;
    EXPECT_EQ(problem.solution, ask_most ? most->name : fewest->name) << problem.reasoning;
  });
}

TEST(WordProblems, NoNumbersAreOnBothSides) {
  for (const Task* task : kTasks) {
    for_each_problem(*task, [](const Problem& problem, Split split, uint64_t) {
      const std::string key =
          problem.task == "comparison" ? comparison_key(problem) : key_of_chain(problem);
      EXPECT_EQ(held_out_key(key), split == Split::kHeldOut) << key << "\n" << problem.reasoning;
    });
  }
}

TEST(WordProblems, HeldOutWordingIsNotTrainedOnAndHalfOfWhatIsMeasured) {
  for (const Task* task : kTasks) {
    int measured = 0;
    int held_out_wording = 0;
    for_each_problem(*task, [&](const Problem& problem, Split split, uint64_t) {
      const auto told = [&](bool held_out) {
        return std::ranges::any_of(
            beginnings(problem.language, problem.task, held_out),
            [&](std::string_view sentence) { return tells(problem.question, sentence); });
      };
      EXPECT_NE(told(true), told(false)) << problem.question;
      if (split == Split::kTrain) {
        EXPECT_FALSE(told(true)) << problem.question;
      } else {
        ++measured;
        held_out_wording += told(true) ? 1 : 0;
      }
    });
    EXPECT_NEAR(held_out_wording, measured / 2, measured / 20) << task->name();
  }
}

TEST(WordProblems, AreInTheScriptOfTheirLanguage) {
  for (const Task* task : kTasks) {
    for_each_problem(*task, [](const Problem& problem, Split, uint64_t) {
      for (const std::string* text : {&problem.question, &problem.reasoning, &problem.answer}) {
        EXPECT_TRUE(utf8_valid(*text)) << *text;
        EXPECT_EQ(text->find_first_of("{}") != std::string::npos, text == &problem.answer);
      }
      const bool latin = problem.language == Language::kEnglish ||
                         problem.language == Language::kGerman ||
                         problem.language == Language::kIndonesian;
      EXPECT_EQ(has_latin_letter(problem.question), latin) << problem.question;
      EXPECT_FALSE(!latin && has_latin_letter(problem.reasoning)) << problem.reasoning;
    });
  }
}

TEST(WordProblems, SomeQuestionsWriteNumbersOtherwise) {
  for (const Language language : kLanguages) {
    int restated = 0;
    for (uint64_t seed = 0; seed < 2000; ++seed) {
      Rng rng(seed);
      const Problem problem = sums_task().make(language, 3, Split::kTrain, rng);
      const auto lines = pieces_of(problem.reasoning, "\n");
      if (lines.size() == 4) {
        EXPECT_NE(problem.question.find_first_of("0123456789"), std::string::npos);
        continue;
      }
      ASSERT_EQ(lines.size(), 5U) << problem.reasoning;
      ++restated;
      for (const std::string& number : pieces_of(lines[0], ", ")) {
        const auto sides = pieces_of(number, " = ");
        EXPECT_NE(problem.question.find(sides.at(0)), std::string::npos) << number;
        const auto in_digits = integer_of(sides.at(1));
        ASSERT_TRUE(in_digits);
        EXPECT_NE(problem.reasoning.find(sides[1], lines[0].size()), std::string::npos);
        EXPECT_EQ(integer_of(sides[0]).value_or(*in_digits), in_digits) << number;
      }
    }
    EXPECT_NEAR(restated, 400, 110);
  }
}

TEST(WordProblems, AcceptNothingButTheSolution) {
  for (const Task* task : kTasks) {
    for_each_problem(*task, [&](const Problem& problem, Split, uint64_t) {
      const std::string& solution = problem.solution;
      EXPECT_TRUE(task->accepts(problem, problem.answer)) << problem.answer;
      const std::string replies[] = {"",
                                     solution,
                                     problem.answer + problem.answer,
                                     "\\boxed{}",
                                     "\\boxed{" + solution + " kg}",
                                     "\\boxed{" + solution + "1}",
                                     "\\boxed{-1}",
                                     "\\boxed{" + solution + ".}",
                                     "\\boxed{" + solution};
      for (const std::string& reply : replies) {
        EXPECT_FALSE(task->accepts(problem, reply)) << reply;
      }
    });
  }
}

TEST(WordProblems, AcceptNativeDigits) {
  Problem problem;
  problem.solution = "42";
  EXPECT_TRUE(sums_task().accepts(problem, "\\boxed{٤٢}"));
  EXPECT_TRUE(sums_task().accepts(problem, "\\boxed{४२}"));
}

TEST(Phrases, EveryLanguageSaysAsMuch) {
  for (const Language language : kLanguages) {
    const Phrases& phrases = phrases_of(language);
    EXPECT_GE(phrases.sums.size(), 15U);
    EXPECT_GE(phrases.amounts.size(), 5U);
    EXPECT_GE(phrases.orders.size(), 5U);
    EXPECT_GE(phrases.measures.size(), 5U);
    // The names of an order are known by their place in the lists.
    EXPECT_EQ(phrases.girls.size(), 8U);
    EXPECT_EQ(phrases.boys.size(), 8U);
    std::set<std::string_view> names(phrases.girls.begin(), phrases.girls.end());
    names.insert(phrases.boys.begin(), phrases.boys.end());
    EXPECT_EQ(names.size(), 16U);
    const StepWords& steps = phrases.steps;
    const std::set<std::string_view> words{steps.start, steps.more, steps.fewer, steps.times,
                                           steps.shared};
    EXPECT_EQ(words.size(), 5U);
  }
}

TEST(Phrases, NoSentenceBeginsWithANumber) {
  for (const Language language : {Language::kEnglish, Language::kGerman, Language::kIndonesian}) {
    for (const SumStory& story : phrases_of(language).sums) {
      for (const std::string_view sentence :
           {story.start, story.more, story.fewer, story.times, story.shared}) {
        EXPECT_FALSE(sentence.starts_with("{n}")) << sentence;
      }
    }
  }
}

}  // namespace
}  // namespace minke
