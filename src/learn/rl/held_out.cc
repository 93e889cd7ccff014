#include "learn/rl/held_out.h"

#include <fmt/core.h>

#include "learn/eval/evaluate.h"
#include "learn/train/stage_data.h"

namespace minke {
namespace {

// Not that of `minke eval`: who chooses a run by its curve is to measure it with other problems.
constexpr uint64_t kSeed = 1;

}  // namespace

std::vector<Question> held_out_questions(const DataRecipe& data, int64_t problems) {
  std::vector<Question> all;
  if (data.tasks.empty()) return all;
  const auto shares = problem_shares(data);
  for (int64_t index = 0; static_cast<int64_t>(all.size()) < problems; ++index) {
    for (const ProblemShare& share : shares) {
      all.push_back(
          task_question(*share.task, share.language, share.level, index, Split::kHeldOut, kSeed));
    }
  }
  return all;
}

std::map<std::string, double> held_out_scores(const Model& model, const RolloutSampler& sampler,
                                              const BatchOptions& batch, const DataRecipe& data,
                                              int64_t problems,
                                              const std::function<bool()>& go_on) {
  const std::vector<Question> questions = held_out_questions(data, problems);
  Scoreboard board(questions, 1, 0);
  EvaluationOptions options;
  options.generation = sampler.generation();
  options.generation.sampling = {};
  options.batch = batch;
  evaluate(model, sampler.renderer(), options, board, go_on);
  if (!board.complete()) return {};
  std::map<std::string, double> values;
  const Tally all = board.all();
  values["accuracy"] = all.accuracy();
  values["tokens"] = all.tokens_per_reply();
  values["language"] = all.thinking_in_language();
  for (const Language language : kLanguages) {
    const Tally some = board.sum([&](const Cell& cell) { return cell.language == language; });
    if (some.questions == 0) continue;
    values[fmt::format("accuracy.{}", language_code(language))] = some.accuracy();
    values[fmt::format("language.{}", language_code(language))] = some.thinking_in_language();
  }
  for (const Task* task : all_tasks()) {
    const Tally some = board.sum([&](const Cell& cell) { return cell.task == task->name(); });
    if (some.questions > 0) values[fmt::format("accuracy.{}", task->name())] = some.accuracy();
  }
  return values;
}

}  // namespace minke
