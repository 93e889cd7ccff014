#include <set>
#include <string>
#include <vector>

#include <fmt/core.h>
#include <gtest/gtest.h>

#include "learn/tasks/formula.h"
#include "learn/tasks/python/python.h"
#include "learn/tasks/task.h"

namespace minke {
namespace {

Problem problem_of(std::string_view task, int level, std::string solution) {
  Problem problem;
  problem.task = task;
  problem.level = level;
  problem.solution = std::move(solution);
  return problem;
}

bool accepts(const Problem& problem, std::string_view content) {
  return task_named(problem.task).accepts(problem, fmt::format("So \\boxed{{{}}}.", content));
}

TEST(HostileReplies, Countdown) {
  const Problem problem = problem_of("countdown", 2, "5 3 2 = 16");
  for (const char* right : {"(5 + 3) * 2", "2*(3+5)", " 2 * ( 3 + 5 ) ", "((5)+(3))*2"}) {
    EXPECT_TRUE(accepts(problem, right)) << right;
  }
  const std::string deep(150, '(');
  for (const std::string& wrong : {std::string("16"),
                                   std::string("5 + 3 * 2"),
                                   std::string("(5 + 3) * 2 = 16"),
                                   std::string("(5 + 3) * 2 * 1"),
                                   std::string("5 + 3 + 2 + 6"),
                                   std::string("5 + 5 + 3 * 2"),
                                   std::string("(5 + 3) × 2"),
                                   std::string("(05 + 3) * 2"),
                                   std::string("-(-5 - 3) * 2"),
                                   std::string("(5 + 3) ** 2"),
                                   std::string("(5 + 3) * 2.0"),
                                   std::string("(5 + 3) * 0x2"),
                                   std::string("(5 + 3) * 2 + 0"),
                                   std::string("2 (5 + 3)"),
                                   std::string("(5 + 3)2"),
                                   std::string("(5 + 3) * 2)"),
                                   std::string("((5 + 3) * 2"),
                                   std::string("(5 + 3) * 2 #"),
                                   std::string("(5 + 3) *\n2"),
                                   std::string("５ + 3"),
                                   std::string("(٥ + 3) * 2"),
                                   std::string("(5 + 3) / 2 * 4"),
                                   std::string("16 / 1"),
                                   std::string("5 / 3 * 2"),
                                   std::string("53 - 2"),
                                   std::string("5 / (3 - 3) + 2"),
                                   std::string("()"),
                                   std::string("5 3 2"),
                                   std::string("+"),
                                   std::string(190, '9'),
                                   std::string(1 << 16, '('),
                                   deep + "1",
                                   std::string("(5 + 3) * 2\0", 12)}) {
    EXPECT_FALSE(accepts(problem, wrong)) << wrong.substr(0, 60);
  }
  for (const char* broken : {"", "16", " = 16", "5 3 = ", "5 x = 5"}) {
    EXPECT_FALSE(accepts(problem_of("countdown", 1, broken), "")) << broken;
  }
}

TEST(HostileReplies, Formulas) {
  EXPECT_EQ(formula_value("2 - 5")->value, -3);
  EXPECT_EQ(formula_value("12 / 4 / 3 - 1 - 1")->value, -1);
  EXPECT_FALSE(formula_value("7 / 2"));
  EXPECT_FALSE(formula_value("999999 * 999999 * 999999"));
  EXPECT_FALSE(formula_value("1000000000"));
}

TEST(HostileReplies, Complete) {
  const Problem value = problem_of("complete", 1,
                                   "a * b\n\ndef f(a, b):\n    return ___\nprint(f(3, 4))\n"
                                   "print(f(5, 2))\n\n12\n10\n");
  for (const char* right : {"a * b", "b * a", "(a) * (b)", "b * (a - 1) + b"}) {
    EXPECT_TRUE(accepts(value, right)) << right;
  }
  for (const char* wrong : {"",
                            "12",
                            "a + b",
                            "print(a * b)",
                            "a * b; 1",
                            "a * b # so",
                            "0) + (a * b",
                            "a * b)\nprint(12",
                            "12 * (a == 3) + 10 * (a == 5)",
                            "[10, 12][a < b]",
                            "return a * b",
                            "lambda: a * b",
                            "a * b if a else 0",
                            "f(a, b)",
                            "___",
                            "a * b = 12",
                            "__import__('os')",
                            "9 ** 9 ** 9",
                            "'x' * 999999999",
                            "a *",
                            "10 + 2",
                            "int('12')",
                            "a\\*b",
                            "x * b"}) {
    EXPECT_FALSE(accepts(value, wrong)) << wrong;
  }
  const Problem line = problem_of("complete", 2,
                                  "t += i\n\ndef f(n):\n    t = 0\n    for i in range(n):\n"
                                  "        ___\n    return t\nprint(f(4))\nprint(f(6))\n\n6\n15\n");
  for (const char* right : {"t += i", "t = t + i", "t -= -i"}) {
    EXPECT_TRUE(accepts(line, right)) << right;
  }
  for (const char* wrong :
       {"", "i", "t += 1", "t += i; t += 0", "t += i\n        t += 0", "return 6", "pass",
        "print(6)", "while True: pass", "n = n + 1", "t = [6, 15][n > 5]", "if n: t += i",
        "t = 6 if n else 15", "import os", "t += 9 ** 9 ** 9", "t = t"}) {
    EXPECT_FALSE(accepts(line, wrong)) << wrong;
  }
  for (const char* broken : {"", "a", "a\n\nb", "a\n\nb\n\nc", "\n\n\n\n\n\n"}) {
    EXPECT_FALSE(accepts(problem_of("complete", 1, broken), "a")) << broken;
  }
}

// A problem whose program has the gap ___, and the fills that are to be judged.
struct Table {
  int level;
  std::string reference, program, wanted;
  std::vector<std::string> right, wrong;
};

// Each prints what is wanted; those that list it for the shown calls are refused all the same.
TEST(HostileReplies, CompleteRefusesTablesOfWhatIsWanted) {
  const Table tables[] = {
      {1,
       "13 * n - 24",
       "def f(n):\n    return ___\nprint(f(4))\nprint(f(3))\n",
       "28\n15\n",
       {"15 + (n - 3) * 13", "n * 13 - 24", "28 + 13 * n - 4 * 13", "n ** 2 + 6 * (n - 2)"},
       {"n == 4 and 28 or 14 + 1", "28 - 13 * (n == 3)", "15 + 13 * (n > 3)",
        "n - 3 and 28 or 14 + 1", "15 + 13 * (not n - 4)", "[14 + 1, 28][n - 3]",
        "sorted([28, 14 + 1])[n - 3]", "[15] [n - 3:] == [15] and 14 + 1 or n * 7",
        "int(str(152800 + n)[2 * n - 6:2 * n - 4])", "15 + 13 * 0 ** (4 - n)",
        "28 - 13 * int(3 >= n)", "max([n == 3] + [28 * (n > 3)]) + 14 * (n < 4)"}},
      {1,
       "n * 2",
       "def f(n):\n    t = 0\n    for i in range(___):\n        t += i\n    return t\n"
       "print(f(4))\nprint(f(3))\n",
       "28\n15\n",
       {"n * 2", "n + n", "2 * (n - 3) + 6"},
       {"n == 4 and 8 or 6", "6 + 2 * (n == 4)", "[6, 8][n - 3]", "[8, 6][4 - n]"}},
      // Where the right fill compares, another comparison may do.
      {1,
       "x > 3",
       "def f(x):\n    if ___:\n        return x\n    return 0\nprint(f(5))\nprint(f(3))\n",
       "5\n0\n",
       {"x > 3", "3 < x", "x - 3", "x == 5", "2 * x > 7"},
       {"x > 3 and x", "not x <= 3", "[3 - 3, 1][x // 4]", "(1 - 1) ** (5 - x)"}},
      {2,
       "t += i",
       "def f(n):\n    t = 0\n    for i in range(n):\n        ___\n    return t\n"
       "print(f(4))\nprint(f(6))\n",
       "6\n15\n",
       {"t += i", "t = i + t", "t = i * (i + 1) // 2", "t = (i ** 2 + i) // 2"},
       {"t = 6 + 9 * (n == 6)", "t = n == 6 and 15 or 3 + 3", "t = [3 + 3, 15][n // 6]",
        "t = 15 - 9 * (not n - 4)", "t = 6 + 9 * 0 ** (6 - n)"}},
  };
  for (const Table& table : tables) {
    const Problem problem =
        problem_of("complete", table.level,
                   fmt::format("{}\n\n{}\n{}", table.reference, table.program, table.wanted));
    const auto prints = [&](const std::string& fill) {
      std::string program = table.program;
      const std::string whole = table.level == 1 ? "(" + fill + ")" : fill;
      return python::run(program.replace(program.find("___"), 3, whole));
    };
    for (const std::string& right : table.right) {
      EXPECT_EQ(prints(right), table.wanted) << right;
      EXPECT_TRUE(accepts(problem, right)) << right;
    }
    for (const std::string& wrong : table.wrong) {
      EXPECT_EQ(prints(wrong), table.wanted) << wrong;
      EXPECT_FALSE(accepts(problem, wrong)) << wrong;
    }
  }
}

TEST(HostileReplies, CompleteAcceptsAllItsReferences) {
  const Task& task = task_named("complete");
  for (int level = 1; level <= task.levels(); ++level) {
    std::set<std::string> fills;
    for (uint64_t seed = 0; seed < 1200; ++seed) {
      Rng rng(seed);
      const Language language = kLanguages[seed % kLanguages.size()];
      const Problem problem = task.make(language, level, Split::kTrain, rng);
      fills.insert(problem.solution.substr(0, problem.solution.find('\n')));
      ASSERT_TRUE(task.accepts(problem, problem.answer)) << problem.solution;
    }
    // Some 24 or 30 patterns, most of them with one of five numbers.
    EXPECT_GT(fills.size(), 50u);
  }
}

TEST(HostileReplies, NumbersNamesAndDates) {
  for (const char* wrong : {"", "-12", "12.0", "12 dollars", "$12$", "12,", "012 ", "1 2", "twelve",
                            "12\\%", "12 or 13", "{12}", "1２", "0xC", "12e0", "\xff"}) {
    const bool zeros = std::string_view(wrong) == "012 ";
    EXPECT_EQ(accepts(problem_of("money", 1, "12"), wrong), zeros) << wrong;
  }
  EXPECT_TRUE(accepts(problem_of("money", 1, "12"), "१२"));
  EXPECT_TRUE(accepts(problem_of("dates", 1, "12"), "١٢"));
  EXPECT_TRUE(accepts(problem_of("dates", 1, "Montag"), "Montag"));
  for (const char* wrong : {"", "Monday", "montag", "Montag Dienstag", "Montag.", "Mon", "1"}) {
    EXPECT_FALSE(accepts(problem_of("dates", 1, "Montag"), wrong)) << wrong;
  }
  for (const char* wrong : {"2024-3-9", "9 March 2024", "2024/03/09", "2024-03-10", "20240309"}) {
    EXPECT_FALSE(accepts(problem_of("dates", 1, "2024-03-09"), wrong)) << wrong;
  }
  for (const char* wrong : {"", "[1,2]", "[1, 2", "1, 2", "[2, 1]", "print([1, 2])"}) {
    EXPECT_FALSE(accepts(problem_of("trace", 1, "[1, 2]"), wrong)) << wrong;
  }
  EXPECT_FALSE(accepts(problem_of("trace", 1, ""), ""));
}

}  // namespace
}  // namespace minke
