#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/core.h>

#include "learn/tasks/python/python.h"

namespace minke::python {

struct List;

struct Range {
  int64_t start = 0;
  int64_t stop = 0;
  int64_t step = 1;  // not 0
};

// Strings, lists and ranges belong to the Heap; a Value names them and is copied freely.
struct Value {
  enum class Kind { kNone, kBool, kInteger, kString, kList, kRange, kFunction };
  Kind kind = Kind::kNone;
  int64_t integer = 0;  // of a bool 0 or 1; of a function its index
  const std::string* text = nullptr;
  List* list = nullptr;
  const Range* range = nullptr;

  static Value of_bool(bool value) { return {.kind = Kind::kBool, .integer = value ? 1 : 0}; }
  static Value of_integer(int64_t value) { return {.kind = Kind::kInteger, .integer = value}; }

  bool is(Kind other) const { return kind == other; }
  // A bool is an integer to Python.
  bool is_number() const { return is(Kind::kInteger) || is(Kind::kBool); }
};

struct List {
  std::vector<Value> items;
};

// Owns what a run makes until the run ends, and counts it. Nothing is freed before, so that lists
// may hold themselves, and so that a limit on what is made is a limit on what is held.
class Heap {
 public:
  explicit Heap(const Limits& limits) : limits_(limits) {}

  // Throws Error, which begins with the line that runs.
  template <typename... Args>
  [[noreturn]] void refuse(fmt::format_string<Args...> message, Args&&... args) const {
    refuse_text(fmt::format(message, std::forward<Args>(args)...));
  }

  // Each throws Error once its limit is passed.
  void step(int64_t count = 1);
  void charge(size_t bytes);
  // The same for `count` times `bytes`, which may be any numbers.
  void charge_times(int64_t count, size_t bytes);
  void print(std::string_view text);

  Value string(std::string text);
  Value list(std::vector<Value> items);
  Value range(Range range);
  void append(List& list, Value item);

  void set_line(int line) { line_ = line; }
  int line() const { return line_; }
  const Limits& limits() const { return limits_; }
  std::string take_output() { return std::move(output_); }

 private:
  [[noreturn]] void refuse_text(std::string_view message) const;

  Limits limits_;
  int line_ = 1;
  int64_t steps_ = 0;
  size_t bytes_ = 0;
  std::string output_;
  std::deque<std::string> strings_;
  std::deque<List> lists_;
  std::deque<Range> ranges_;
};

}  // namespace minke::python
