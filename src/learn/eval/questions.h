#pragma once

#include <cstdint>
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

// A problem of `task` as a question with index 0.
Question question_of(const Task& task, Problem problem);

// The problem of `task` that a language, a level, an index and a seed lead to, as a question.
Question task_question(const Task& task, Language language, int level, int64_t index, Split split,
                       uint64_t seed);

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

}  // namespace minke
