#include <array>

#include <fmt/core.h>

#include "base/core/error.h"
#include "learn/tasks/checkable.h"
#include "learn/tasks/word_problems.h"

namespace minke {

std::span<const Task* const> all_tasks() {
  static const std::array kTasks = {
      &sums_task(),  &comparison_task(), &units_task(), &countdown_task(),
      &money_task(), &dates_task(),      &trace_task(), &complete_task(),
  };
  return kTasks;
}

const Task& task_named(std::string_view name) {
  std::string names;
  for (const Task* task : all_tasks()) {
    if (task->name() == name) return *task;
    names += fmt::format(" {}", task->name());
  }
  fail("task", "expected one of{}, found '{}'", names, printable(name));
}

}  // namespace minke
