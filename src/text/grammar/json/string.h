#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "text/grammar/budget.h"
#include "text/grammar/dfa.h"

namespace minke {

// The insides of JSON strings, in the one spelling that Spelling::kJson gives each.

// Counts above this are not kept to: longer strings and arrays are never written, though a schema
// may allow them.
inline constexpr int64_t kLongestCounted = 4096;
inline constexpr int64_t kUncounted = -1;

// Strings of `min` to `max` characters (code points); `max` may be kUncounted.
Dfa strings_of_length(int64_t min, int64_t max, Budget& budget);

// A pattern for strings of the format `name` of JSON Schema; nullopt if it is not supported. Where
// a standard is loose the pattern is strict: all that it takes is of the format, not the other way
// round.
std::optional<std::string_view> format_pattern(std::string_view name);

}  // namespace minke
