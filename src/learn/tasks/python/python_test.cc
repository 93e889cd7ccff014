#include "learn/tasks/python/python.h"

#include <string>

#include <gtest/gtest.h>

#include "base/core/error.h"
#include "base/core/json.h"
#include "learn/tasks/python/parser.h"

namespace minke::python {
namespace {

// The message of the Error that `source` leads to; empty if it runs.
std::string error_of(std::string_view source, const Limits& limits = {}) {
  try {
    run(source, limits);
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

std::string times(int count, const std::string& text) {
  std::string all;
  for (int i = 0; i < count; ++i) all += text;
  return all;
}

TEST(Python, PrintsWhatCPythonPrints) {
  const auto golden = JsonDocument::read(std::string(MINKE_GOLDEN_DIR) + "/python.json");
  size_t programs = 0;
  const simdjson::dom::array cases = golden.root().get_array().value();
  for (const auto entry : cases) {
    const std::string_view source = entry["source"].get_string().value();
    ++programs;
    if (entry["output"].is_null()) {
      EXPECT_NE(error_of(source), "") << source;
      continue;
    }
    const std::string_view output = entry["output"].get_string().value();
    try {
      EXPECT_EQ(run(source), output) << source;
    } catch (const Error& error) {
      ADD_FAILURE() << error.what() << "\n" << source;
    }
  }
  EXPECT_GT(programs, 200u);
}

TEST(Python, ErrorsNameTheConstructAndTheLine) {
  const struct {
    const char* source;
    const char* message;
  } cases[] = {
      {"x = 1\ny = 1.5\n", "line 2: a floating-point number is not part of the subset"},
      {"import os\n", "line 1: 'import' is not part of the subset"},
      {"x = lambda y: y\n", "line 1: 'lambda' is not part of the subset"},
      {"a = 1\nb = a / 2\n", "line 2: '/' is not part of the subset"},
      {"a, b = 1, 2\n", "line 1: a tuple is not part of the subset"},
      {"x = f'{1}'\n", "line 1: a string with the prefix f is not part of the subset"},
      {"x = {}\n", "line 1: '{' is not part of the subset"},
      {"x = [i for i in range(3)]\n", "line 1: a comprehension is not part of the subset"},
      {"x = 1 in [1]\n", "line 1: the operator 'in' is not part of the subset"},
      {"x = 1 is 1\n", "line 1: 'is' is not part of the subset"},
      {"x = 1; y = 2\n", "line 1: ';' is not part of the subset"},
      {"print(1, end='')\n", "line 1: a tuple or a named argument is not part of the subset"},
      {"def f(a=1):\n    return a\n", "line 1: a default value is not part of the subset"},
      {"a = b = 1\n", "line 1: several assignments in one are not part of the subset"},
      {"x: int = 1\n", "line 1: an annotation is not part of the subset"},
      {"'a'.upper()\n", "line 1: the method 'upper' is not part of the subset"},
      {"x = '''a'''\n", "line 1: a string in triple quotes is not part of the subset"},
      {"while 0:\n    pass\nelse:\n    pass\n",
       "line 3: 'else' of a loop is not part of the subset"},
      {"if 1: x = 1\n", "line 1: expected the end of the line before the block, found 'x'"},
      {"\n\nprint(x)\n", "line 3: 'x' is not defined"},
      {"x = print\n", "line 1: 'print' is used other than to call it"},
      {"print(range(3))\n", "line 1: a range is used other than to go through it"},
      {"x = 2 ** -1\n", "line 1: a negative exponent gives a float, which is not in the subset"},
      {"x = 1\nx = 2 ** 63\n", "line 2: integer too large"},
      {"x = 9223372036854775808\n", "line 1: integer too large"},
      {"x = 9223372036854775807 + 1\n", "line 1: integer too large"},
      {"x = (-9223372036854775807 - 1) // -1\n", "line 1: integer too large"},
      {"x = abs(-9223372036854775807 - 1)\n", "line 1: integer too large"},
      {"__import__('os')\n", "line 1: a name begins with two underscores"},
      {"x = 1\n\tx = 2\n", "line 2: '\\x09' is not part of the subset"},
  };
  for (const auto& test : cases) EXPECT_EQ(error_of(test.source), test.message) << test.source;
}

TEST(Python, WhatNeverEndsIsStopped) {
  EXPECT_EQ(error_of("while True:\n    pass\n"), "line 1: more than 50000 steps");
  EXPECT_NE(error_of("for i in range(10 ** 18):\n    pass\n").find("steps"), std::string::npos);
  EXPECT_NE(error_of("sum(range(10 ** 18))\n").find("steps"), std::string::npos);
  EXPECT_NE(error_of("a = [1]\nfor x in a:\n    a.append(x)\n"), "");
  EXPECT_EQ(error_of("def f(n):\n    return f(n)\nf(1)\n"),
            "line 2: more than 100 calls in one another");
  EXPECT_NE(error_of("while True:\n    print('xxxxxxxxxxxxxxxxxxxxxxxx')\n").find("output"),
            std::string::npos);
}

TEST(Python, MemoryIsBounded) {
  for (const char* source :
       {"s = 'a'\nwhile True:\n    s += s\n", "s = 'abc' * 1000000000000000000\n",
        "a = [0] * 9223372036854775807\n", "a = [1]\nwhile True:\n    a = a + a\n",
        "a = [1]\nwhile True:\n    a *= 2\n", "a = [1]\nwhile True:\n    a += a\n",
        "a = ['a' * 1000]\nwhile True:\n    a[0] = a[0] + a[0]\n", "s = sorted(range(10 ** 9))\n",
        "a = 'a' * 500000\nb = []\nwhile True:\n    b.append(a[:])\n"}) {
    const std::string error = error_of(source);
    EXPECT_TRUE(error.find("memory") != std::string::npos || error.find("steps") != error.npos)
        << source << error;
  }
}

TEST(Python, ListsInThemselvesAreStopped) {
  EXPECT_EQ(error_of("a = []\na.append(a)\nprint(a)\n"), "line 3: lists are nested too deeply");
  EXPECT_NE(error_of("a = []\nb = []\na.append(b)\nb.append(a)\nprint(a == b)\n"), "");
  EXPECT_NE(error_of("a = [1]\nfor i in range(55):\n    a = [a, a]\nprint(a)\n"), "");
  EXPECT_NE(error_of("a = [1]\nb = [1]\nfor i in range(55):\n    a = [a, a]\n    b = [b, b]\n"
                     "print(a < b)\n"),
            "");
  EXPECT_EQ(run("a = []\na.append(a)\nprint(a == a, len(a))\n"), "True 1\n");
}

TEST(Python, DeepNestingIsAnError) {
  for (const int depth : {100, 3000}) {
    for (const char* open : {"(", "[", "-", "not ", "f(", "a[", "1 + (", "2 ** "}) {
      EXPECT_NE(error_of("x = " + times(depth, open)), "") << open;
    }
    EXPECT_NE(error_of("x = 1" + times(depth * 2, "+1")), "");
    EXPECT_NE(error_of("x = 1" + times(depth * 2, "[0]")), "");
    std::string blocks;
    for (int i = 0; i < depth; ++i) blocks += std::string(i, ' ') + "if 1:\n";
    EXPECT_NE(error_of(blocks + std::string(depth, ' ') + "x = 1\n"), "");
  }
  std::string elifs = "if 0:\n    pass\n";
  EXPECT_EQ(error_of(elifs + times(500, "elif 0:\n    pass\n")), "");
}

TEST(Python, DeepRecursionThroughDeepExpressionsIsAnError) {
  const std::string sum = times(140, " + 0");
  EXPECT_EQ(error_of("def f(n):\n    return f(n + 1)" + sum + "\nf(0)\n"),
            "line 2: calls and expressions are too deep");
}

TEST(Python, BytesOfAnyKindAreErrors) {
  using std::string_literals::operator""s;
  for (const std::string& source :
       {"x = 1\0\n"s, "\0"s, "x = '\xff'\n"s, "# \xc3\xa4\n"s, "x\xc2\xa0= 1\n"s, "x = 1\r\n"s,
        "x = '\\x41'\n"s, "x = \\\n1\n"s, "'"s, "\""s, "'\\"s, "x = 'a\nb'\n"s,
        "\xef\xbb\xbfx = 1\n"s, "x = " + times(1 << 20, "1"), times(1 << 20, " "),
        times(1 << 20, "\n"), "x = '" + times(1 << 20, "a") + "'\n", "x = " + times(15000, "9"),
        times(15000, "(")}) {
    EXPECT_NE(error_of(source), "") << source.substr(0, 40);
  }
  EXPECT_EQ(run(""), "");
  EXPECT_EQ(run("\n  \n# nothing\n   "), "");
}

TEST(Python, ObserversHearEachStep) {
  std::string heard;
  run("def f(n):\n    return n + 1\na = f(3)\nfor i in [1, 2]:\n    if i > 1:\n        a += i\n",
      {}, [&](const Event& event) {
        heard += fmt::format("{}{} {}={};", "ALTCR"[static_cast<int>(event.kind)], event.line,
                             event.name, event.value);
      });
  EXPECT_EQ(heard, "C3 f=(3);R3 f=4;A3 a=4;L4 i=1;T5 =False;L4 i=2;T5 =True;A6 a=6;");
}

TEST(Python, KindsOfText) {
  EXPECT_TRUE(is_expression("a + b * 2"));
  EXPECT_TRUE(is_assignment("total += i"));
  for (const char* text : {"", "a = 1", "a\nb", "a +", "a) + (b", "a # b", "if a:", "return a"}) {
    EXPECT_EQ(is_expression(text), std::string_view(text) == "a # b") << text;
  }
  for (const char* text : {"", "a", "a = 1\nb = 2", "pass", "a = ", "for i in a:"}) {
    EXPECT_FALSE(is_assignment(text)) << text;
  }
}

}  // namespace
}  // namespace minke::python
