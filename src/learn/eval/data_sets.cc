#include "learn/eval/data_sets.h"

#include <algorithm>
#include <array>

#include <fmt/core.h>

#include "base/core/error.h"
#include "base/core/json.h"
#include "base/core/mapped_file.h"
#include "learn/eval/answers.h"
#include "learn/eval/human_eval.h"
#include "learn/eval/json_text.h"
#include "learn/eval/python_sandbox.h"
#include "learn/tasks/boxed.h"
#include "text/tokenizer/json_node.h"

namespace minke {
namespace {

constexpr std::array kFormats = {DataSetFormat::kGsm8k, DataSetFormat::kMgsm,
                                 DataSetFormat::kMath500, DataSetFormat::kChecked,
                                 DataSetFormat::kHumanEval};
// Of what stands in a box; more is no answer to any of these problems.
constexpr size_t kMostAnswerBytes = 1000;
constexpr const char* kInstruction = "\n\nReason step by step, and put the answer in \\boxed{}.";

void expect_integer(Question& question, int64_t solution) {
  question.expected = fmt::format("\\boxed{{{}}}", solution);
  question.accepts = [solution](std::string_view reply) {
    const auto box = last_boxed(reply);
    return box && integer_answer(*box) == solution;
  };
}

// `answer`: what stands in `node`.
void expect_expression(Question& question, std::string_view answer, const JsonNode& node) {
  if (answer.size() > kMostAnswerBytes || normalised_expression(answer).empty()) {
    node.expected(fmt::format("an expression of at most {} bytes", kMostAnswerBytes));
  }
  question.expected = fmt::format("\\boxed{{{}}}", answer);
  question.accepts = [solution = normalised_expression(answer)](std::string_view reply) {
    const auto box = last_boxed(reply);
    return box && box->size() <= kMostAnswerBytes && normalised_expression(*box) == solution;
  };
}

// "level", if it is there.
void read_level(const JsonNode& root, int64_t most, Question& question) {
  const auto level = root.get("level");
  if (!level) return;
  if (level->integer() < 1 || level->integer() > most) {
    level->expected(fmt::format("a level from 1 to {}", most));
  }
  question.level = static_cast<int>(level->integer());
}

void read_gsm8k(const JsonNode& root, Question& question) {
  question.text = text_of(root, "question");
  const JsonNode answer = root.need("answer");
  constexpr std::string_view kMark = "####";
  const std::string_view text = answer.string();
  const size_t mark = text.rfind(kMark);
  if (mark == std::string_view::npos) answer.expected("a solution that ends with \"#### 42\"");
  const auto solution = integer_answer(text.substr(mark + kMark.size()));
  if (!solution) answer.expected("an integer behind \"####\"");
  expect_integer(question, *solution);
}

void read_mgsm(const JsonNode& root, Question& question) {
  question.text = text_of(root, "question");
  expect_integer(question, root.need("answer_number").integer());
}

void read_math500(const JsonNode& root, Question& question) {
  question.text = text_of(root, "problem");
  expect_expression(question, text_of(root, "answer"), root.need("answer"));
  constexpr int64_t kLevels = 5;
  read_level(root, kLevels, question);
}

void read_language(const JsonNode& root, Question& question) {
  const auto code = root.get("language");
  if (!code) return;
  const auto* language = std::ranges::find(kLanguages, code->string(), language_code);
  if (language == kLanguages.end()) code->expected("ar, zh, en, de, hi or id");
  question.language = *language;
}

void read_checked(const JsonNode& root, Question& question) {
  question.text = text_of(root, "question");
  const JsonNode checker = root.need("checker");
  const std::string_view text = text_of(root, "answer");
  const JsonNode answer = root.need("answer");
  const std::string boxed = fmt::format("\\boxed{{{}}}", text);
  const auto held = last_boxed(boxed);
  // It holds less where braces do not match and where another box stands in it.
  if (held != trimmed(text) || held->empty()) {
    answer.expected("an answer that a \\boxed{} can hold");
  }
  const std::string_view name = checker.string();
  if (name == "integer") {
    const auto solution = integer_answer(text);
    if (!solution) answer.expected("an integer, for the checker \"integer\"");
    expect_integer(question, *solution);
  } else if (name == "expression") {
    expect_expression(question, text, answer);
  } else if (name == "exact") {
    question.expected = boxed;
    question.accepts = [solution = std::string(*held)](std::string_view reply) {
      return last_boxed(reply) == solution;
    };
  } else {
    checker.expected("\"exact\", \"integer\" or \"expression\"");
  }
  constexpr int64_t kLevels = 100;
  read_level(root, kLevels, question);
  read_language(root, question);
}

Question read_question(std::string_view line, const std::string& where, DataSetFormat format,
                       Language language) {
  const JsonDocument document = JsonDocument::parse(line, where);
  const JsonNode root(document.root(), where);
  Question question;
  question.task = data_set_format_name(format);
  question.language = language;
  switch (format) {
    case DataSetFormat::kGsm8k:
      read_gsm8k(root, question);
      break;
    case DataSetFormat::kMgsm:
      read_mgsm(root, question);
      break;
    case DataSetFormat::kMath500:
      read_math500(root, question);
      break;
    case DataSetFormat::kChecked:
      read_checked(root, question);
      return question;
    case DataSetFormat::kHumanEval:
      read_human_eval(root, question);
      return question;
  }
  question.text += kInstruction;
  return question;
}

}  // namespace

std::string_view data_set_format_name(DataSetFormat format) {
  constexpr std::string_view kNames[] = {"gsm8k", "mgsm", "math500", "checked", "humaneval"};
  static_assert(std::size(kNames) == kFormats.size());
  return kNames[static_cast<size_t>(format)];
}

DataSetFormat data_set_format_from_name(std::string_view name) {
  std::string names;
  for (const DataSetFormat format : kFormats) {
    if (data_set_format_name(format) == name) return format;
    names += fmt::format(" {}", data_set_format_name(format));
  }
  fail("format", "expected one of{}, found '{}'", names, printable(name));
}

std::vector<Question> read_data_set(const std::filesystem::path& path, DataSetFormat format,
                                    Language language, int64_t most) {
  const std::string content = read_text_file(path);
  std::string_view text = content;
  std::vector<Question> questions;
  for (size_t line = 1; !text.empty(); ++line) {
    if (most > 0 && static_cast<int64_t>(questions.size()) == most) break;
    const size_t length = std::min(text.find('\n'), text.size() - 1) + 1;
    const std::string_view object = text.substr(0, length);
    text.remove_prefix(length);
    if (object.find_first_not_of(" \t\r\n") == std::string_view::npos) continue;
    const std::string where = fmt::format("{}, line {}", printable(path.string(), 4096), line);
    questions.push_back(read_question(object, where, format, language));
    // Unique within the file, so also within a level of it.
    questions.back().index = static_cast<int64_t>(questions.size()) - 1;
  }
  if (questions.empty()) {
    fail(printable(path.string(), 4096), "expected an object a line, found an empty file");
  }
  if (format == DataSetFormat::kHumanEval) require_python_sandbox();
  return questions;
}

}  // namespace minke
