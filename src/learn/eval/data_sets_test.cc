#include "learn/eval/data_sets.h"

#include <filesystem>
#include <fstream>

#include <fmt/core.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/core/error.h"

namespace minke {
namespace {

namespace fs = std::filesystem;

class DataSet : public testing::Test {
 protected:
  void SetUp() override {
    path_ = fs::temp_directory_path() / fmt::format("minke-data-set-{}.jsonl", getpid());
  }
  void TearDown() override { fs::remove(path_); }

  std::vector<Question> read(const std::string& text, DataSetFormat format, int64_t most = 0) {
    std::ofstream(path_) << text;
    return read_data_set(path_, format, Language::kGerman, most);
  }
  void expect_error(const std::string& text, DataSetFormat format, const std::string& says) {
    try {
      read(text, format);
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find(path_.filename().string()), std::string::npos);
      EXPECT_NE(std::string(error.what()).find(says), std::string::npos) << error.what();
    }
  }

  fs::path path_;
};

TEST_F(DataSet, Gsm8k) {
  const auto questions = read(
      R"({"question": "How many?", "answer": "2 * 500 = <<2*500=1000>>1000\n#### 1,000"}

{"question": "And now?", "answer": "#### -3"})",
      DataSetFormat::kGsm8k);
  ASSERT_EQ(questions.size(), 2u);
  EXPECT_EQ(questions[0].task, "gsm8k");
  EXPECT_EQ(questions[0].language, Language::kGerman);
  EXPECT_TRUE(questions[0].text.starts_with("How many?\n"));
  EXPECT_NE(questions[0].text.find("\\boxed{}"), std::string::npos);
  EXPECT_TRUE(questions[0].accepts("It is \\boxed{\\$1{,}000}."));
  EXPECT_TRUE(questions[0].accepts(questions[0].expected));
  EXPECT_FALSE(questions[0].accepts("1000"));
  EXPECT_FALSE(questions[0].accepts("\\boxed{1000} or \\boxed{1001}"));
  EXPECT_TRUE(questions[1].accepts("\\boxed{-3}"));
  EXPECT_EQ(questions[1].index, 1);
}

TEST_F(DataSet, Mgsm) {
  const auto questions =
      read("{\"question\": \"Wie viele?\", \"answer\": null, \"answer_number\": 18}\n",
           DataSetFormat::kMgsm);
  ASSERT_EQ(questions.size(), 1u);
  EXPECT_TRUE(questions[0].accepts("\\boxed{18}"));
  EXPECT_FALSE(questions[0].accepts("\\boxed{81}"));
}

TEST_F(DataSet, Math500) {
  const auto questions = read(
      R"({"problem": "x?", "answer": "\\frac{1}{2}", "level": 3, "subject": "Algebra"}
{"problem": "y?", "answer": "[1,2]"})",
      DataSetFormat::kMath500);
  ASSERT_EQ(questions.size(), 2u);
  EXPECT_EQ(questions[0].level, 3);
  EXPECT_EQ(questions[1].level, 1);
  EXPECT_TRUE(questions[0].accepts("\\boxed{\\dfrac12}"));
  EXPECT_FALSE(questions[0].accepts("\\boxed{0.5}"));
  EXPECT_TRUE(questions[1].accepts("\\boxed{\\left[1, 2\\right]}"));
}

TEST_F(DataSet, Checked) {
  const auto questions = read(
      R"({"question": "Was steht da?", "answer": "ein Wal", "checker": "exact"}
{"question": "How many?", "answer": "1,000", "checker": "integer", "language": "en", "level": 2}
{"question": "一半？", "answer": "\\frac{1}{2}", "checker": "expression", "language": "zh"}
{"question": "?", "answer": " {a} ", "checker": "exact", "level": 100, "language": null})",
      DataSetFormat::kChecked);
  ASSERT_EQ(questions.size(), 4u);
  EXPECT_EQ(questions[0].task, "checked");
  EXPECT_EQ(questions[0].text, "Was steht da?");
  EXPECT_EQ(questions[0].language, Language::kGerman);
  EXPECT_EQ(questions[0].level, 1);
  EXPECT_TRUE(questions[0].accepts("Da steht \\boxed{ ein Wal }."));
  for (const char* reply : {"ein Wal", "\\boxed{Ein Wal}", "\\boxed{ein  Wal}", "\\boxed{}", "",
                            "\\boxed{ein Wal} \\boxed{kein Wal}", "\\boxed{ein Wal"}) {
    EXPECT_FALSE(questions[0].accepts(reply)) << reply;
  }
  EXPECT_EQ(questions[1].language, Language::kEnglish);
  EXPECT_EQ(questions[1].level, 2);
  EXPECT_TRUE(questions[1].accepts("\\boxed{1000.0}"));
  EXPECT_FALSE(questions[1].accepts("\\boxed{1001}"));
  EXPECT_EQ(questions[2].language, Language::kChinese);
  EXPECT_TRUE(questions[2].accepts("\\boxed{1/2}"));
  EXPECT_FALSE(questions[2].accepts("\\boxed{0.5}"));
  EXPECT_TRUE(questions[3].accepts("\\boxed{{a}}"));
  EXPECT_EQ(questions[3].language, Language::kGerman);
  for (const Question& question : questions) EXPECT_TRUE(question.accepts(question.expected));
}

TEST_F(DataSet, BadCheckedLinesAreNamed) {
  const auto line = [](const std::string& answer, const std::string& rest) {
    return fmt::format("{{\"question\": \"?\", \"answer\": {}, {}}}\n", answer, rest);
  };
  const auto expect = [&](const std::string& answer, const std::string& rest,
                          const std::string& says) {
    const std::string good = line("\"1\"", "\"checker\": \"integer\"");
    expect_error(good + line(answer, rest), DataSetFormat::kChecked, "line 2: " + says);
  };
  const std::string exact = "\"checker\": \"exact\"";
  expect("\"1\"", "\"checker\": \"close\"", "checker: expected \"exact\", \"integer\" or");
  expect("\"1\"", "\"level\": 1", "the document: expected a member \"checker\"");
  expect("1", exact, "answer: expected a string, found");
  expect("\"\"", exact, "answer: expected a text of at least one");
  for (const char* answer : {"\"  \"", "\"a}\"", "\"{a\"", "\"}{\"", "\"a\\\\boxed{b}\""}) {
    expect(answer, exact, "answer: expected an answer that a \\boxed{} can hold, found");
  }
  expect("\"4.5\"", "\"checker\": \"integer\"", "answer: expected an integer, for the checker");
  expect("\"1\"", exact + ", \"language\": \"fr\"", "language: expected ar, zh, en, de, hi or id");
  expect("\"1\"", exact + ", \"level\": 0", "level: expected a level from 1 to 100");
  expect("\"1\"", exact + ", \"level\": 101", "level: expected a level from 1 to 100");
  expect("\"1\"", exact + ", \"level\": \"1\"", "level: expected an integer");
}

TEST_F(DataSet, TheFirstOnes) {
  std::string lines;
  for (int i = 0; i < 5; ++i) lines += "{\"question\": \"?\", \"answer_number\": 1}\n";
  EXPECT_EQ(read(lines, DataSetFormat::kMgsm, 3).size(), 3u);
  EXPECT_EQ(read(lines, DataSetFormat::kMgsm, 9).size(), 5u);
}

TEST_F(DataSet, BadLinesAreNamed) {
  const std::string good = "{\"question\": \"?\", \"answer_number\": 1}\n";
  expect_error(good + "{", DataSetFormat::kMgsm, "line 2");
  expect_error(good + "\n[]\n", DataSetFormat::kMgsm, "line 3: the document: expected an object");
  expect_error("{\"answer_number\": 1}", DataSetFormat::kMgsm, "line 1");
  expect_error("{\"question\": \"\", \"answer_number\": 1}", DataSetFormat::kMgsm, "question");
  expect_error("{\"question\": \"?\", \"answer_number\": \"x\"}", DataSetFormat::kMgsm,
               "answer_number: expected an integer");
  expect_error("{\"question\": \"?\", \"answer\": \"42\"}", DataSetFormat::kGsm8k, "####");
  expect_error("{\"question\": \"?\", \"answer\": \"#### x\"}", DataSetFormat::kGsm8k,
               "an integer behind");
  expect_error("{\"problem\": \"?\", \"answer\": \"1\", \"level\": 9}", DataSetFormat::kMath500,
               "a level from 1 to 5");
  expect_error("\n \n", DataSetFormat::kMgsm, "empty");
  expect_error("", DataSetFormat::kMgsm, "empty");
  EXPECT_EQ(data_set_format_from_name("humaneval"), DataSetFormat::kHumanEval);
  EXPECT_THROW(data_set_format_from_name("HumanEval"), Error);
}

}  // namespace
}  // namespace minke
