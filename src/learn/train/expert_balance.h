#pragma once

#include <span>
#include <vector>

#include "learn/train/model_parameters.h"
#include "math/ops/tape.h"

namespace minke {

// Adds the loads of one pass to those of the passes before it in a step, router by router; `to` is
// empty before the first.
void add_loads(const std::vector<ExpertLoad>& from, std::vector<ExpertLoad>& to);

// Tokens of the busiest expert over the mean: 1 is perfect. 0 if there were none.
double busiest_over_mean(const ExpertLoad& load);

// Auxiliary-loss-free balancing (Wang et al., arXiv 2408.15664; DeepSeek-V3 report, section 2.1.2):
// the bias of an expert with more than the mean of tokens falls by `speed`, that of one with less
// rises. Loads of routers without a bias change nothing.
void update_biases(const std::vector<ExpertLoad>& loads, double speed,
                   std::span<SelectionBias> biases);

}  // namespace minke
