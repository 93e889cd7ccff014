#include "learn/eval/human_eval.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/core/error.h"
#include "base/core/json.h"
#include "base/core/test_folder.h"
#include "learn/eval/data_sets.h"
#include "learn/eval/python_sandbox.h"

namespace minke {
namespace {

using testing::error_of;
using testing::TempFolder;

TEST(LastPythonBlock, TakesTheLast) {
  EXPECT_EQ(last_python_block("so\n```python\na\n```\nor\n```python\nb\nc\n```\ndone"), "b\nc\n");
  EXPECT_EQ(last_python_block("```python\na\n```\n```\nb\n```\n"), "a\n");
  EXPECT_EQ(last_python_block("```python\na = '```'\n```"), "a = '```'\n");
  EXPECT_EQ(last_python_block("```python\nnot closed"), "not closed");
  EXPECT_EQ(last_python_block("```python\n"), "");
  EXPECT_EQ(last_python_block("def f(): pass"), "def f(): pass");
  EXPECT_EQ(last_python_block("use ```python\n"), "use ```python\n");
  EXPECT_EQ(last_python_block(""), "");
}

nlohmann::json problem() {
  return {{"task_id", "HumanEval/0"},
          {"prompt",
           "from typing import List\n\ndef half(x: int) -> int:\n    return x // 2\n\n\n"
           "def halves(xs: List[int]) -> List[int]:\n    \"\"\" Half of each. \"\"\"\n"},
          {"entry_point", "halves"},
          {"canonical_solution", "    return [half(x) for x in xs]\n"},
          {"test",
           "METADATA = {}\n\ndef check(candidate):\n    assert candidate([4, 5]) == [2, 2]\n"
           "    assert candidate([half(8)]) == [2]\n"}};
}

class HumanEval : public ::testing::Test {
 protected:
  std::vector<Question> read(const nlohmann::json& object) {
    return read_data_set(folder_.file("he.jsonl", object.dump() + "\n"), DataSetFormat::kHumanEval,
                         Language::kEnglish, 0);
  }

  TempFolder folder_;
};

TEST_F(HumanEval, RunsTheReply) {
  const std::string missing = error_of([] { require_python_sandbox(); });
  if (!missing.empty()) GTEST_SKIP() << missing;
  const auto questions = read(problem());
  ASSERT_EQ(questions.size(), 1u);
  const Question& question = questions[0];
  EXPECT_EQ(question.task, "humaneval");
  EXPECT_NE(question.text.find("def halves(xs: List[int])"), std::string::npos);
  EXPECT_NE(question.text.find("```python"), std::string::npos);
  EXPECT_TRUE(question.accepts(question.expected)) << question.expected;
  // What stands in front of the function in the prompt is there.
  EXPECT_TRUE(
      question.accepts("Like this:\n```python\ndef halves(xs: List[int]) -> List[int]:\n"
                       "    return list(map(half, xs))\n```\nIt halves."));
  EXPECT_TRUE(question.accepts("def halves(xs):\n    return [x // 2 for x in xs]"));
  EXPECT_FALSE(question.accepts("```python\ndef halves(xs):\n    return xs\n```"));
  EXPECT_FALSE(question.accepts("I do not know."));
  EXPECT_FALSE(question.accepts(""));
  EXPECT_FALSE(question.accepts(question.expected + "\n```python\nexit(0)\n```"));
}

TEST_F(HumanEval, BadLinesAreNamed) {
  const auto expect_error = [&](const char* member, const nlohmann::json& value,
                                const std::string& says) {
    nlohmann::json object = problem();
    object[member] = value;
    const std::string error = error_of([&] { read(object); });
    EXPECT_NE(error.find("he.jsonl, line 1"), std::string::npos) << error;
    EXPECT_NE(error.find(says), std::string::npos) << error;
  };
  expect_error("prompt", nullptr, "\"prompt\"");
  expect_error("prompt", 3, "prompt: expected a string");
  expect_error("prompt", "def third(x):\n", "begins with \"def halves(\"");
  expect_error("entry_point", "a b", "entry_point: expected a name of Python");
  expect_error("entry_point", "", "entry_point: expected a name of Python");
  expect_error("canonical_solution", "", "canonical_solution: expected a text");
  expect_error("test", "assert True", "test: expected a line that begins with \"def check(\"");
}

}  // namespace
}  // namespace minke
