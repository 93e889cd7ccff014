#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "learn/rl/rollouts.h"
#include "learn/train/recipe/recipe.h"

namespace minke {

// Problems that are never trained on, of the kinds that `data` has: the first of each task,
// language and level in turn, `problems` in all, rounded up to whole turns; none if it has no
// tasks. They are others than those that `minke eval` asks by default.
std::vector<Question> held_out_questions(const DataRecipe& data, int64_t problems);

// How a model does on these, greedy:
//   accuracy, accuracy.<language>, accuracy.<task>   shares of right replies
//   tokens                                           of a reply, mean
//   language, language.<language>                    mean share of the thinking in the question's
// Right is what `minke eval` takes for right: unlike in rewards, the thinking is not looked at.
// Empty if `go_on`, which is asked after every pass, says no.
std::map<std::string, double> held_out_scores(const Model& model, const RolloutSampler& sampler,
                                              const BatchOptions& batch, const DataRecipe& data,
                                              int64_t problems, const std::function<bool()>& go_on);

}  // namespace minke
