#include "learn/train/optimizer/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace minke {
namespace {

// What is left of the way from the floor to the peak after a share `t` of the decay.
double remaining(const Schedule& schedule, double t) {
  if (schedule.kind == ScheduleKind::kCosine) return (1 + std::cos(std::numbers::pi * t)) / 2;
  return schedule.decay == DecayShape::kLinear ? 1 - t : 1 - std::sqrt(t);
}

int64_t decay_steps(const Schedule& schedule) {
  switch (schedule.kind) {
    case ScheduleKind::kConstant:
      return 0;
    case ScheduleKind::kCosine:
      return std::max<int64_t>(0, schedule.steps - schedule.warmup_steps);
    case ScheduleKind::kWsd:
      break;
  }
  return std::llround(schedule.decay_fraction * static_cast<double>(schedule.steps));
}

}  // namespace

double Schedule::learning_rate(int64_t step) const {
  const auto at = static_cast<double>(std::min(step, steps));
  double share = 1;
  const int64_t decaying = decay_steps(*this);
  const int64_t stable = steps - decaying;
  if (step > stable && decaying > 0) {
    const double t = (at - static_cast<double>(stable)) / static_cast<double>(decaying);
    share = floor + (1 - floor) * remaining(*this, t);
  }
  if (step < warmup_steps) share = std::min(share, at / static_cast<double>(warmup_steps));
  return peak * share;
}

}  // namespace minke
