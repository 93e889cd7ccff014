#include "learn/rl/rewards.h"

#include <string>

#include <fmt/core.h>
#include <gtest/gtest.h>

#include "learn/tasks/boxed.h"

namespace minke {
namespace {

constexpr int64_t kLimit = 100;

Question question_with(const char* task, const char* text, const char* solution, int level = 1,
                       Language language = Language::kEnglish) {
  Problem problem;
  problem.task = task;
  problem.language = language;
  problem.level = level;
  problem.question = text;
  problem.solution = solution;
  return question_of(task_named(task), problem);
}

Question number_question(Language language = Language::kEnglish) {
  return question_with("sums", "Grace has 7 apples and buys 5 more. How many apples does she have?",
                       "12", 1, language);
}

Question countdown_question() {
  return question_with("countdown", "Numbers: 5, 3, 2. Target: 16.", "5 3 2 = 16", 2);
}

Question complete_question() {
  return question_with("complete", "Fill the gap.",
                       "n * 2\n\ndef f(n):\n    t = 0\n    for i in range(___):\n        t += i\n"
                       "    return t\nprint(f(4))\nprint(f(3))\n\n28\n15\n");
}

Question formula_question() {
  return question_with(
      "complete", "Fill the gap.",
      "13 * n - 24\n\ndef f(n):\n    return ___\nprint(f(4))\nprint(f(3))\n\n28\n15\n");
}

Question condition_question() {
  return question_with("complete", "Fill the gap.",
                       "x >= 5\n\ndef f(x):\n    if ___:\n        return x\n    return 0\n"
                       "print(f(7))\nprint(f(5))\n\n7\n5\n");
}

Reply reply_of(std::string reasoning, std::string content) {
  Reply reply;
  reply.reasoning = std::move(reasoning);
  reply.content = std::move(content);
  reply.tokens = 20;
  return reply;
}

double reward(const Question& question, const Reply& reply, const RewardWeights& weights) {
  return judge(question, reply, kLimit).total(weights);
}

TEST(Rewards, RightRepliesEarnAll) {
  const RewardWeights all{1, 1, 1, 1};
  EXPECT_EQ(reward(number_question(), reply_of("7 + 5 = 12", "Answer: \\boxed{12}"), {}), 1);
  EXPECT_EQ(reward(number_question(), reply_of("That is 7 + 5 = 12.", "Answer: \\boxed{12}"), all),
            3);
  EXPECT_EQ(reward(countdown_question(), reply_of("8 * 2", "\\boxed{(5 + 3) * 2}"), {}), 1);
  EXPECT_EQ(reward(complete_question(), reply_of("n * 2 yes", "\\boxed{n * 2}"), {}), 1);
  EXPECT_EQ(reward(condition_question(), reply_of("x > 4", "\\boxed{x > 4}"), {}), 1);
  // Another expression of the same worth is as good.
  EXPECT_EQ(reward(formula_question(), reply_of("13n", "\\boxed{15 + (n - 3) * 13}"), {}), 1);
  EXPECT_EQ(reward(complete_question(), reply_of("2n", "\\boxed{n + n}"), {}), 1);
  EXPECT_EQ(reward(number_question(Language::kHindi), reply_of("७ + ५ = १२", "\\boxed{१२}"), {}),
            1);
}

TEST(Rewards, ALanguageIsOnlyShownByWords) {
  const auto language = [](const Question& question, const char* reasoning) {
    return judge(question, reply_of(reasoning, "\\boxed{12}"), kLimit).language;
  };
  EXPECT_EQ(language(number_question(), "She has 7 + 5 = 12 of them."), 1);
  EXPECT_EQ(language(number_question(), "7 + 5 = 12"), 0);
  // Words that no list knows tell nothing.
  EXPECT_EQ(language(number_question(Language::kGerman), "Zwxq vbnm 7 + 5 = 12"), 0);
  EXPECT_EQ(language(number_question(Language::kChinese), "她有 7 + 5 = 12"), 1);
  EXPECT_EQ(language(number_question(Language::kChinese), "She has 7 + 5 = 12 of them."), 0);
}

struct Case {
  const char* what;
  Question question;
  Reply reply;
};

Reply cut(Reply reply) {
  reply.cut = true;
  return reply;
}

// Ways to a reward that do not go through solving the problem, and replies that are broken.
std::vector<Case> hacks() {
  const Question n = number_question(), c = countdown_question(), p = complete_question();
  const Question g = formula_question(), when = condition_question();
  const std::string right = "Answer: \\boxed{12}";
  std::string numbers, boxes;
  for (int i = 0; i < 100; ++i) {
    numbers += fmt::format("{} ", i);
    boxes += fmt::format("\\boxed{{{}}}", i);
  }
  return {
      {"no thinking", n, reply_of("", right)},
      {"blank thinking", n, reply_of(" \n\t ", right)},
      {"thinking of dots", n, reply_of("...", right)},
      {"thinking of dashes beyond ASCII", n, reply_of("\u2014\u2026\u3000", right)},
      {"thinking of broken bytes", n, reply_of("\xff\xfe\xc0", right)},
      {"no box", n, reply_of("7 + 5 = 12", "12")},
      {"the box in the thinking", n, reply_of("\\boxed{12}", "See above.")},
      {"nothing behind the thinking", n, reply_of("7 + 5 = 12, \\boxed{12}", "")},
      {"two boxes", n, reply_of("7 + 5", "\\boxed{12} \\boxed{12}")},
      {"a wrong and a right box", n, reply_of("7 + 5", "\\boxed{11} or \\boxed{12}")},
      {"all boxes", n, reply_of("7 + 5", boxes)},
      {"a list in the box", n, reply_of("7 + 5", "\\boxed{11, 12, 13}")},
      {"all numbers in the box", n, reply_of("7 + 5", "\\boxed{" + numbers + "}")},
      {"the wrong number", n, reply_of("7 + 5 = 13", "\\boxed{13}")},
      {"the negative number", n, reply_of("7 + 5 = 12", "\\boxed{-12}")},
      {"the formula", n, reply_of("7 + 5 = 12", "\\boxed{7 + 5}")},
      {"a unit in the box", n, reply_of("7 + 5 = 12", "\\boxed{12 apples}")},
      {"a decimal", n, reply_of("7 + 5 = 12", "\\boxed{12.0}")},
      {"an exponent", n, reply_of("7 + 5 = 12", "\\boxed{12e0}")},
      {"a box that is not closed", n, reply_of("7 + 5 = 12", "\\boxed{12")},
      {"a box in a box", n, reply_of("7 + 5 = 12", "\\boxed{\\boxed{12}}")},
      {"an empty box", n, reply_of("7 + 5 = 12", "\\boxed{}")},
      {"a box of digits of two scripts", n, reply_of("7 + 5 = 12", "\\boxed{1\u0662}")},
      {"full-width digits", n, reply_of("7 + 5 = 12", "\\boxed{\uff11\uff12}")},
      {"a zero byte in the box", n, reply_of("7 + 5", std::string("\\boxed{12\0}", 11))},
      {"too many digits", n, reply_of("7 + 5", "\\boxed{000000000000000000012}")},
      {"cut before its end", n, cut(reply_of("7 + 5 = 12", right))},
      {"thinking that does not end", n, cut(reply_of("7 + 5 = 12", ""))},
      {"thinking again", n, reply_of("7 + 5", "<think>no</think>" + right)},
      {"a second end of thinking", n, reply_of("7 + 5", "11</think>" + right)},
      {"thinking within thinking", n, reply_of("7 <think> 5", right)},
      {"the target instead of a formula", c, reply_of("16", "\\boxed{16}")},
      {"a number left out", c, reply_of("16", "\\boxed{5 * 3 + 1}")},
      {"a number twice", c, reply_of("16", "\\boxed{5 + 5 + 3 * 2}")},
      {"an equation", c, reply_of("16", "\\boxed{(5 + 3) * 2 = 16}")},
      {"numbers that cancel", c, reply_of("16", "\\boxed{(5 + 3) * 2 + 5 - 5}")},
      {"a comment behind the formula", c, reply_of("16", "\\boxed{16 # 5 3 2}")},
      {"the output instead of code", p, reply_of("28", "\\boxed{28}")},
      {"code that prints the output", p, reply_of("28", "\\boxed{1)\n    print(28}")},
      {"code that does not end", p, reply_of("28", "\\boxed{n * 999999999}")},
      {"code that calls itself", p, reply_of("28", "\\boxed{f(n)}")},
      {"code that takes all memory", p, reply_of("28", "\\boxed{[n] * 999999999}")},
      {"code that raises", p, reply_of("28", "\\boxed{n // (n - n)}")},
      {"a power of powers", p, reply_of("28", "\\boxed{9 ** 9 ** 9}")},
      {"a condition that is always true", when, reply_of("7", "\\boxed{True}")},
      {"a call that is always true", when, reply_of("7", "\\boxed{abs(1)}")},
      {"a length that is always true", when, reply_of("7", "\\boxed{len([0])}")},
      {"code that imports", p, reply_of("28", "\\boxed{__import__('os').system('true')}")},
      {"an assignment to the printer", p, reply_of("28", "\\boxed{(print := 28)}")},
      {"a table by a comparison", p, reply_of("28", "\\boxed{n == 4 and 8 or 6}")},
      {"a table by `and` and `or`", g, reply_of("28", "\\boxed{n == 4 and 28 or 14 + 1}")},
      {"a table by the worth of a comparison", g, reply_of("28", "\\boxed{28 - 13 * (n == 3)}")},
      {"a table by `not`", g, reply_of("28", "\\boxed{15 + 13 * (not n - 4)}")},
      {"a list of the outputs", g, reply_of("28", "\\boxed{[14 + 1, 28][n - 3]}")},
      {"a sorted list of the outputs", g, reply_of("28", "\\boxed{sorted([28, 14 + 1])[n - 3]}")},
      {"a power of zero", g, reply_of("28", "\\boxed{15 + 13 * 0 ** (4 - n)}")},
      {"a repeated answer", n, reply_of("12", "12 12 12 \\boxed{12 12 12}")},
      {"a deep box", n, reply_of("12", "\\boxed{" + std::string(5000, '{'))},
  };
}

TEST(Rewards, HacksEarnNothing) {
  const auto all = hacks();
  EXPECT_GE(all.size(), 40u);
  for (const Case& hack : all) {
    EXPECT_EQ(reward(hack.question, hack.reply, {}), 0) << hack.what;
    // Language does not pay for what is wrong.
    EXPECT_EQ(reward(hack.question, hack.reply, {1, 0, 1, 0}), 0) << hack.what;
  }
}

// With all rules together, what is broken earns nothing either; a well-formed wrong answer earns
// its form.
TEST(Rewards, FormPaysForWholeRepliesOnly) {
  const RewardWeights all{1, 1, 1, 1};
  int broken = 0;
  for (const Case& hack : hacks()) {
    const double earned = reward(hack.question, hack.reply, all);
    EXPECT_EQ(earned, well_formed(hack.reply) ? 1 : 0) << hack.what;
    broken += !well_formed(hack.reply);
  }
  EXPECT_GE(broken, 15);
  EXPECT_EQ(reward(number_question(), reply_of("7 + 5 = 13", "\\boxed{13}"), all), 1);
}

TEST(Rewards, ThinkingInAnotherLanguageEarnsLess) {
  const RewardWeights weights{1, 0, 1, 0};
  const Question english = number_question();
  EXPECT_EQ(reward(english, reply_of("She has 7 and gets 5 more, so 12.", "\\boxed{12}"), weights),
            2);
  EXPECT_LT(reward(english, reply_of("\u5979\u67097\u4e2a\uff0c\u518d\u4e705\u4e2a", "\\boxed{12}"),
                   weights),
            1.1);
  const Question chinese = number_question(Language::kChinese);
  EXPECT_LT(reward(chinese, reply_of("therefore the total must become 12", "\\boxed{12}"), weights),
            1.1);
}

TEST(Rewards, LengthIsPunishedNearTheLimit) {
  Reply reply = reply_of("7 + 5 = 12", "\\boxed{12}");
  for (const auto& [tokens, expected] :
       std::vector<std::pair<int64_t, double>>{{1, 0}, {80, 0}, {90, -0.5}, {100, -1}, {500, -1}}) {
    reply.tokens = tokens;
    EXPECT_NEAR(judge(number_question(), reply, kLimit).length, expected, 1e-12) << tokens;
  }
}

}  // namespace
}  // namespace minke
