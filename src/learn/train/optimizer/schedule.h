#pragma once

#include <cstdint>

namespace minke {

enum class ScheduleKind {
  kConstant,
  kCosine,  // from the peak to the floor along half a cosine
  kWsd,     // warm-up, stable, decay: constant, then down to the floor over the last steps
};
enum class DecayShape {
  kLinear,
  kOneMinusSqrt,  // 1 - sqrt(t): fast first (Haegele et al., arXiv 2405.18392)
};

// The learning rate of each step of a stage. Every kind begins with a linear warm-up.
struct Schedule {
  ScheduleKind kind = ScheduleKind::kWsd;
  double peak = 1e-3;
  int64_t warmup_steps = 0;
  int64_t steps = 1;            // of the stage
  double decay_fraction = 0.3;  // kWsd: the share of `steps` that decays
  DecayShape decay = DecayShape::kLinear;
  double floor = 0;  // the rate of the last step as a share of the peak

  // Of step 1 to `steps`; after the last, its rate. The rate reaches the peak at the last step of
  // the warm-up and the floor at the last step of all. Where warm-up and decay overlap, the lower
  // of the two.
  double learning_rate(int64_t step) const;
};

}  // namespace minke
