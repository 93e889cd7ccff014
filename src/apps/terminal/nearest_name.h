#pragma once

#include <span>
#include <string>
#include <string_view>

namespace minke {

// How many characters must be added, taken away, replaced or swapped with their neighbour to make
// `b` of `a` (optimal string alignment distance).
size_t typing_distance(std::string_view a, std::string_view b);

// The name that was most likely meant by `typed`: the nearest one, if no more than a third of its
// characters are wrong; empty if there is none. Of several as near, the first.
std::string nearest_name(std::string_view typed, std::span<const std::string> names);

}  // namespace minke
