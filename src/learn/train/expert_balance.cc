#include "learn/train/expert_balance.h"

#include <algorithm>
#include <numeric>

namespace minke {
namespace {

double mean_of(const ExpertLoad& load) {
  const int64_t total = std::accumulate(load.tokens.begin(), load.tokens.end(), int64_t{0});
  return static_cast<double>(total) / static_cast<double>(load.tokens.size());
}

}  // namespace

void add_loads(const std::vector<ExpertLoad>& from, std::vector<ExpertLoad>& to) {
  if (to.empty()) {
    to = from;
    return;
  }
  for (size_t i = 0; i < from.size(); ++i) {
    for (size_t e = 0; e < from[i].tokens.size(); ++e) to[i].tokens[e] += from[i].tokens[e];
  }
}

double busiest_over_mean(const ExpertLoad& load) {
  const double mean = mean_of(load);
  const int64_t most = *std::ranges::max_element(load.tokens);
  return mean > 0 ? static_cast<double>(most) / mean : 0;
}

void update_biases(const std::vector<ExpertLoad>& loads, double speed,
                   std::span<SelectionBias> biases) {
  for (const ExpertLoad& load : loads) {
    const auto bias = std::ranges::find_if(
        biases, [&](const SelectionBias& b) { return b.values.f32() == load.bias; });
    if (bias == biases.end()) continue;
    const double mean = mean_of(load);
    for (size_t e = 0; e < load.tokens.size(); ++e) {
      const double difference = mean - static_cast<double>(load.tokens[e]);
      const double sign = difference > 0 ? 1 : difference < 0 ? -1 : 0;
      bias->values.f32()[e] += static_cast<float>(speed * sign);
    }
  }
}

}  // namespace minke
