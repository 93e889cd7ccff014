#pragma once

#include <string>

namespace minke {

// The whole program. Exit codes: 0 done, 1 failed, 2 wrong usage, 128 + n ended by signal n. Wrong
// usage is what is wrong whatever the files hold; an option that does not fit a certain model (a
// token id beyond its vocabulary, more context than it has) is a failure.
int run_program(int argc, const char* const* argv, const std::string& version);

}  // namespace minke
