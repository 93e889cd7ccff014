#pragma once

#include <string_view>

namespace minke {

// Whether a problem is kept for measuring. `canonical` names the task, the numbers and the
// operations, and nothing of the language or the wording ("sums 12 +5 *3"), so that a problem and
// its translations are on the same side. About 4 % of all problems are held out. The same on every
// machine and for ever: it decides what a trained model has seen.
bool held_out_key(std::string_view canonical);

}  // namespace minke
