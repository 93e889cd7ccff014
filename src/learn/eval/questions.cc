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

Question task_question(const Task& task, Language language, int level, int64_t index, Split split,
                       uint64_t seed) {
  Question place;
  place.task = task.name();
  place.language = language;
  place.level = level;
  place.index = index;
  Rng rng(question_seed(seed, place));
  Question question = question_of(task, task.make(language, level, split, rng));
  question.index = index;
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
          all.push_back(task_question(*task, language, level, index, options.split, options.seed));
        }
      }
    }
  }
  return all;
}

}  // namespace minke
