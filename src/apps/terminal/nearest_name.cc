#include "apps/terminal/nearest_name.h"

#include <algorithm>
#include <vector>

namespace minke {

size_t typing_distance(std::string_view a, std::string_view b) {
  // Rows of the table of distances between beginnings: of the one before last, the last, this.
  std::vector<size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    before.swap(last);
    last.swap(row);
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({replaced, last[j] + 1, row[j - 1] + 1});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
  }
  return row.back();
}

std::string nearest_name(std::string_view typed, std::span<const std::string> names) {
  std::string nearest;
  size_t least = std::string_view::npos;
  for (const std::string& name : names) {
    const size_t distance = typing_distance(typed, name);
    if (distance >= least || distance * 3 > name.size()) continue;
    least = distance;
    nearest = name;
  }
  return nearest;
}

}  // namespace minke
