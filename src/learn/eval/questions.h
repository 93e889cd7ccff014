#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "learn/tasks/task.h"

namespace minke {

// What a model is asked, and what judges its reply.
struct Question {
  std::string task;  // a Task's name, or a data set's format
  Language language = Language::kEnglish;
  int level = 1;
  int64_t index = 0;     // unique within its task, language and level
  std::string text;      // what the user says
  std::string expected;  // a right answer, to show
  // Whether all that a model wrote after its thinking is right. Throws Error only if the system has
  // no means left to tell.
  std::function<bool(std::string_view reply)> accepts;
};

// Seed of what belongs to a question: depends on the arguments alone.
uint64_t question_seed(uint64_t seed, const Question& question);

// A problem of `task` as a question; the index is left to the caller.
Question question_of(const Task& task, Problem problem);

struct TaskQuestions {
  std::vector<const Task*> tasks;
  std::vector<Language> languages;
  std::vector<int> levels;  // those that a task does not have are left out for it; empty: all
  int64_t problems = 10;    // of each task, language and level
  Split split = Split::kHeldOut;
  uint64_t seed = 0;
};

// The questions by index, then task, language and level, so that any first part of them is about
// balanced. Which they are depends on nothing but the options.
std::vector<Question> task_questions(const TaskQuestions& options);

// Data sets with an object a line. Other members are not read.
//   gsm8k      "question"; "answer": the solution, which ends with "#### 42"
//   mgsm       "question"; "answer_number": an integer
//   math500    "problem"; "answer": an expression; "level", if there: 1 to 5
//   checked    "question"; "answer"; "checker": "exact", "integer" or "expression"; "language", if
//              there, instead of the file's; "level", if there: 1 to 100
//   humaneval  human_eval.h
// The answer stands in the last \boxed{} of a reply. The questions of the first three ask for it,
// in English; those of checked are sent as they are written. How answers are compared:
// integer_answer() for gsm8k, mgsm and integer, normalised_expression() for math500 and expression,
// and for exact the content of the box, without spaces around it.
enum class DataSetFormat { kGsm8k, kMgsm, kMath500, kChecked, kHumanEval };
std::string_view data_set_format_name(DataSetFormat format);
// Throws Error for any other name.
DataSetFormat data_set_format_from_name(std::string_view name);

// The first `most` questions of a file (0: all), said to be of `language`. Throws Error that names
// the file and the line if one is not what the format says, if there is none, and if Python that
// is to be run cannot be.
std::vector<Question> read_data_set(const std::filesystem::path& path, DataSetFormat format,
                                    Language language, int64_t most);

}  // namespace minke
