#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace minke::python {

// A small, strict subset of Python, for programs that a model wrote: integers of 64 bits, booleans,
// strings of printable ASCII, lists, None and range(); assignment to names and elements, also
// augmented; if, while, for, break, continue, pass; functions with positional parameters;
// + - * // % **, comparisons (chained too), and, or, not; indices and slices; the functions abs,
// int, len, max, min, print, range, sorted, str and sum, and the method append of lists. Whatever
// it accepts means what it means to CPython; everything else is an Error that names it and its
// line, and so is a program that CPython would stop with an exception.

struct Limits {
  int64_t steps = 50'000;           // statements, expressions, elements visited
  size_t memory = size_t{1} << 20;  // bytes of strings and lists made, freed ones included
  size_t output = size_t{1} << 13;  // bytes printed
  int calls = 100;                  // in one another
};

struct Event {
  enum class Kind {
    kAssigned,  // `name` (of a list if it was an element of it, or grew) is `value`
    kLoop,      // a loop has set its variable `name` to `value`
    kTested,    // the condition of an if or while was `value`: True or False
    kCalled,    // a function of the program: `name`, and `value` "(3, 4)"
    kReturned,  // from `name` with `value`
  };
  Kind kind = Kind::kAssigned;
  int line = 0;  // from 1
  std::string name;
  std::string value;  // as repr() writes it
};
using Observer = std::function<void(const Event&)>;

// What the program prints. Throws Error "line 3: ...". The observer, if there is one, hears each
// step as it happens.
std::string run(std::string_view source, const Limits& limits = {}, const Observer& observer = {});

}  // namespace minke::python
