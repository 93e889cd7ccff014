#pragma once

#include <string>

#include "base/core/rng.h"

namespace minke {

// Programs of the Python subset that print one line. Levels: 1 assignments, 2 an if, 3 a loop, 4 a
// function with a loop. Their numbers stay below 1000.
std::string random_listing(int level, Rng& rng);

// The steps that `source`, a program of random_listing, goes through, one a line: what each
// assignment computes, each test, each turn of a loop, each call.
std::string steps_of(const std::string& source);

}  // namespace minke
