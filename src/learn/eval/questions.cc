#include "learn/eval/questions.h"

#include <algorithm>

#include <fmt/core.h>

namespace minke {

uint64_t question_seed(uint64_t seed, const Question& question) {
  const std::string key =
      fmt::format("{}/{}/{}/{}", question.task, language_code(question.language), question.level,
                  question.index);
  uint64_t state = Rng(seed).next();
  for (const char c : key) state = Rng(state, static_cast<unsigned char>(c)).next();
  return state;
}

Question question_of(const Task& task, Problem problem) {
  Question question;
  question.task = task.name();
  question.language = problem.language;
  question.level = problem.level;
  question.text = problem.question;
  question.expected = problem.answer;
  question.accepts = [&task, problem = std::move(problem)](std::string_view reply) {
    return task.accepts(problem, reply);
  };
  return question;
}

std::vector<Question> task_questions(const TaskQuestions& options) {
  std::vector<Question> all;
  for (int64_t index = 0; index < options.problems; ++index) {
    for (const Task* task : options.tasks) {
      for (const Language language : options.languages) {
        for (int level = 1; level <= task->levels(); ++level) {
          const auto& wanted = options.levels;
          if (!wanted.empty() && std::ranges::find(wanted, level) == wanted.end()) continue;
          Question question;
          question.task = task->name();
          question.language = language;
          question.level = level;
          question.index = index;
          Rng rng(question_seed(options.seed, question));
          all.push_back(question_of(*task, task->make(language, level, options.split, rng)));
          all.back().index = index;
        }
      }
    }
  }
  return all;
}

}  // namespace minke
