#pragma once

#include <cstdint>

namespace minke {

struct Interval {
  double low = 0, high = 1;
};

// The 95 % interval of a share found in `trials` (Wilson 1927: Probable Inference, the Law of
// Succession, and Statistical Inference). For a mean of values within [0, 1], whose variance is at
// most that of yes and no, it is wider than need be. [0, 1] without trials.
Interval wilson(double share, int64_t trials);

// The chance that at least one of k draws without replacement from n samples, c of them right, is
// right: the unbiased estimate of pass@k (Chen et al. 2021, Evaluating Large Language Models
// Trained on Code, equation 1). 0 <= c <= n, 1 <= k <= n.
double pass_at(int64_t k, int64_t n, int64_t c);

}  // namespace minke
