#include "learn/eval/questions.h"

#include <map>
#include <set>

#include <gtest/gtest.h>

namespace minke {
namespace {

TaskQuestions everything(uint64_t seed = 1) {
  TaskQuestions options;
  options.tasks.assign(all_tasks().begin(), all_tasks().end());
  options.languages.assign(kLanguages.begin(), kLanguages.end());
  options.problems = 2;
  options.seed = seed;
  return options;
}

using Key = std::tuple<std::string, Language, int, int64_t>;

std::map<Key, std::string> texts(const TaskQuestions& options) {
  std::map<Key, std::string> found;
  for (const Question& q : task_questions(options)) {
    EXPECT_TRUE(found.try_emplace(Key(q.task, q.language, q.level, q.index), q.text).second);
  }
  return found;
}

TEST(TaskQuestions, CoverEveryCellAndAcceptTheirAnswers) {
  size_t cells = 0;
  for (const Task* task : all_tasks()) cells += static_cast<size_t>(task->levels()) * 6;
  const auto all = task_questions(everything());
  EXPECT_EQ(all.size(), 2 * cells);
  for (const Question& question : all) {
    EXPECT_TRUE(question.accepts(question.expected)) << question.text;
    EXPECT_FALSE(question.accepts("")) << question.text;
    EXPECT_FALSE(question.accepts("\\boxed{blue whale}")) << question.text;
  }
}

TEST(TaskQuestions, AQuestionDependsOnItsCellSeedAndIndexAlone) {
  const auto all = texts(everything());
  TaskQuestions some = everything();
  some.tasks = {all_tasks().back(), all_tasks().front()};
  some.languages = {Language::kHindi};
  some.levels = {1};
  some.problems = 3;
  size_t shared = 0;
  for (const auto& [key, text] : texts(some)) {
    const auto found = all.find(key);
    if (found == all.end()) continue;
    ++shared;
    EXPECT_EQ(found->second, text);
  }
  EXPECT_EQ(shared, 4u);
  size_t same = 0;
  for (const auto& [key, text] : texts(everything(2))) same += all.at(key) == text;
  EXPECT_LT(same, all.size() / 4);
  some.levels = {1000};
  EXPECT_TRUE(task_questions(some).empty());
}

}  // namespace
}  // namespace minke
