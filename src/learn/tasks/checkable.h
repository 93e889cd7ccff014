#pragma once

#include "learn/tasks/task.h"

namespace minke {

// Each family of problems; what its levels ask stands in docs/tasks.md.
const Task& countdown_task();
const Task& dates_task();
const Task& money_task();
const Task& trace_task();
const Task& complete_task();

}  // namespace minke
