#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "learn/tasks/python/syntax.h"
#include "learn/tasks/python/value.h"

namespace minke::python {

// What the operators and functions of Python do with values. Each throws Error (Heap::refuse) where
// CPython raises an exception, and where a result would pass a limit.

std::string_view type_name(const Value& value);
bool truth(Heap& heap, const Value& value);
std::string repr(Heap& heap, const Value& value);
// As repr, but of a string its characters.
std::string str(Heap& heap, const Value& value);

Value unary(Heap& heap, Operator op, const Value& value);
Value binary(Heap& heap, Operator op, const Value& left, const Value& right);
// `left += right` and the others: a list changes itself.
Value augmented(Heap& heap, Operator op, const Value& left, const Value& right);
bool compare(Heap& heap, Operator op, const Value& left, const Value& right);

// The place of `index` in a string or list of `size`, counted from its end if negative.
size_t position(Heap& heap, const Value& index, size_t size);
Value element(Heap& heap, const Value& value, const Value& index);
Value slice(Heap& heap, const Value& value, const Value& start, const Value& stop,
            const Value& step);

// Goes through a list (as it is at each step), a string or a range.
class Iterator {
 public:
  Iterator(Heap& heap, const Value& value);
  // False at the end.
  bool next(Value& item);

 private:
  Heap& heap_;
  Value value_;
  size_t index_ = 0;
  int64_t left_ = 0;  // of a range
  int64_t at_ = 0;
};

bool is_builtin(std::string_view name);
Value call_builtin(Heap& heap, std::string_view name, const std::vector<Value>& arguments);

}  // namespace minke::python
