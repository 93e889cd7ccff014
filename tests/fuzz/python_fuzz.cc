// A program that a model wrote, and the same bytes as its answer to each task.
#include <string_view>

#include "base/core/error.h"
#include "learn/tasks/python/parser.h"
#include "learn/tasks/python/python.h"
#include "learn/tasks/task.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace minke;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  python::is_expression(text);
  python::is_assignment(text);
  try {
    python::run(text, {}, [](const python::Event&) {});
  } catch (const Error&) {
  }
  for (const Task* task : all_tasks()) {
    Rng rng(size);
    const Problem problem = task->make(Language::kEnglish, 1, Split::kTrain, rng);
    task->accepts(problem, text);
    task->accepts(problem, "\\boxed{" + std::string(text) + "}");
  }
  return 0;
}
