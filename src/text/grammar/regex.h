#pragma once

#include <string>
#include <string_view>

#include "text/grammar/code_points.h"
#include "text/grammar/dfa.h"

namespace minke {

// The texts in which `pattern` finds a match, as ECMA-262 regular expressions with flag u do: a
// match may lie anywhere, unless ^ and $ hold it to the ends.
//
// Understood: characters and escapes, classes, . \d \w \s \D \W \S, groups (names and lazy
// quantifiers change nothing), ? * + {m} {m,} {m,n}, |, and ^ and $ where a match begins and ends.
// Throws Error, begun by `budget`'s place, for all else: back references, assertions, \p, \b, other
// anchors.
Dfa compile_regex(std::string_view pattern, Spelling spelling, Budget& budget);

}  // namespace minke
