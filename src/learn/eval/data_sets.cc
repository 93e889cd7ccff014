#include <algorithm>
#include <array>

#include <fmt/core.h>

#include "base/core/error.h"
#include "base/core/json.h"
#include "base/core/mapped_file.h"
#include "learn/eval/answers.h"
#include "learn/eval/questions.h"
#include "text/tokenizer/json_node.h"

namespace minke {
namespace {

constexpr std::array kFormats = {DataSetFormat::kGsm8k, DataSetFormat::kMgsm,
                                 DataSetFormat::kMath500};
constexpr const char* kInstruction = "\n\nReason step by step, and put the answer in \\boxed{}.";

std::string_view text_of(const JsonNode& root, std::string_view key) {
  const JsonNode node = root.need(key);
  if (node.string().empty()) node.expected("a text of at least one character");
  return node.string();
}

void expect_integer(Question& question, int64_t solution) {
  question.expected = fmt::format("\\boxed{{{}}}", solution);
  question.accepts = [solution](std::string_view reply) {
    const auto box = last_boxed(reply);
    return box && integer_answer(*box) == solution;
  };
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
  std::string solution = normalised_expression(text_of(root, "answer"));
  question.expected = fmt::format("\\boxed{{{}}}", text_of(root, "answer"));
  if (const auto level = root.get("level")) {
    constexpr int64_t kLevels = 5;
    if (level->integer() < 1 || level->integer() > kLevels) level->expected("a level from 1 to 5");
    question.level = static_cast<int>(level->integer());
  }
  question.accepts = [solution = std::move(solution)](std::string_view reply) {
    const auto box = last_boxed(reply);
    return box && normalised_expression(*box) == solution;
  };
}

Question read_question(std::string_view line, const std::string& where, DataSetFormat format) {
  const JsonDocument document = JsonDocument::parse(line, where);
  const JsonNode root(document.root(), where);
  Question question;
  question.task = data_set_format_name(format);
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
  }
  question.text += kInstruction;
  return question;
}

}  // namespace

std::string_view data_set_format_name(DataSetFormat format) {
  constexpr std::string_view kNames[] = {"gsm8k", "mgsm", "math500"};
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
    questions.push_back(read_question(object, where, format));
    // Unique within the file, so also within a level of it.
    questions.back().index = static_cast<int64_t>(questions.size()) - 1;
    questions.back().language = language;
  }
  if (questions.empty()) {
    fail(printable(path.string(), 4096), "expected an object a line, found an empty file");
  }
  return questions;
}

}  // namespace minke
