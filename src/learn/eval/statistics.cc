#include "learn/eval/statistics.h"

#include <algorithm>
#include <cmath>

#include "base/core/check.h"

namespace minke {
Interval wilson(double share, int64_t trials) {
  if (trials == 0) return {};
  constexpr double z = 1.959963984540054;
  const auto n = static_cast<double>(trials);
  const double middle = share + z * z / (2 * n);
  const double half = z * std::sqrt(share * (1 - share) / n + z * z / (4 * n * n));
  const double scale = 1 + z * z / n;
  return {std::max(0.0, (middle - half) / scale), std::min(1.0, (middle + half) / scale)};
}

double pass_at(int64_t k, int64_t n, int64_t c) {
  CHECK(0 <= c && c <= n && 1 <= k && k <= n);
  if (n - c < k) return 1;
  // 1 - (n - c over k) / (n over k), as a product.
  double none = 1;
  for (int64_t i = n - c + 1; i <= n; ++i)
    none *= 1 - static_cast<double>(k) / static_cast<double>(i);
  return 1 - none;
}

}  // namespace minke
