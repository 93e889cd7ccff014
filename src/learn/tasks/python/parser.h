#pragma once

#include <string_view>

#include "learn/tasks/python/syntax.h"

namespace minke::python {

// The tree of a program of the subset that python.h describes. Throws Error "line 3: ..." that
// names what is not part of it.
Program parse(std::string_view source);

// Whether `text` is one expression of the subset, and no more.
bool is_expression(std::string_view text);
// Whether `text` is one assignment, augmented or not, and no more.
bool is_assignment(std::string_view text);

}  // namespace minke::python
