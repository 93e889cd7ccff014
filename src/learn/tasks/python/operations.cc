#include "learn/tasks/python/operations.h"

#include <algorithm>

namespace minke::python {
namespace {

using Kind = Value::Kind;
using Wide = __int128;

// Of lists in one another. Python stops at a depth of its own, far beyond.
constexpr int kMostListDepth = 60;
// Bytes of a string that count as one step where they are only compared or copied.
constexpr int64_t kBytesAStep = 64;

Value narrowed(Heap& heap, Wide value) {
  if (value < INT64_MIN || value > INT64_MAX) heap.refuse("integer too large");
  return Value::of_integer(static_cast<int64_t>(value));
}

Wide floor_divided(Wide a, Wide b) {
  const Wide quotient = a / b;
  return quotient * b != a && (a < 0) != (b < 0) ? quotient - 1 : quotient;
}

Value power(Heap& heap, int64_t base, int64_t exponent) {
  if (exponent < 0) heap.refuse("a negative exponent gives a float, which is not in the subset");
  if (base == 0 || base == 1) return Value::of_integer(exponent == 0 ? 1 : base);
  if (base == -1) return Value::of_integer(exponent % 2 == 0 ? 1 : -1);
  Value result = Value::of_integer(1);
  for (int64_t i = 0; i < exponent; ++i) result = narrowed(heap, Wide{result.integer} * base);
  return result;
}

Value arithmetic(Heap& heap, Operator op, int64_t a, int64_t b) {
  switch (op) {
    case Operator::kAdd:
      return narrowed(heap, Wide{a} + b);
    case Operator::kSubtract:
      return narrowed(heap, Wide{a} - b);
    case Operator::kMultiply:
      return narrowed(heap, Wide{a} * b);
    case Operator::kPower:
      return power(heap, a, b);
    default:
      break;
  }
  if (b == 0) heap.refuse("division by zero");
  const Wide quotient = floor_divided(a, b);
  return narrowed(heap, op == Operator::kModulo ? a - quotient * b : quotient);
}

Value repeated(Heap& heap, const Value& value, int64_t count) {
  if (value.is(Kind::kString)) {
    heap.charge_times(count, value.text->size());
    std::string text;
    if (!value.text->empty()) {
      for (int64_t i = 0; i < count; ++i) text += *value.text;
    }
    return heap.string(std::move(text));
  }
  const std::vector<Value>& items = value.list->items;
  heap.charge_times(count, items.size() * sizeof(Value));
  std::vector<Value> all;
  if (!items.empty()) {
    for (int64_t i = 0; i < count; ++i) all.insert(all.end(), items.begin(), items.end());
  }
  return heap.list(std::move(all));
}

bool is_sequence(const Value& value) {
  return value.is(Kind::kString) || value.is(Kind::kList);
}

void need_data(Heap& heap, const Value& value) {
  if (value.is(Kind::kRange)) heap.refuse("a range is used other than to go through it");
  if (value.is(Kind::kFunction)) heap.refuse("a function is used other than to call it");
}

void write_string(std::string& out, const std::string& text) {
  const bool single = text.find('\'') != std::string::npos && text.find('"') == std::string::npos;
  const char quote = single ? '"' : '\'';
  out += quote;
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else {
      if (c == '\\' || c == quote) out += '\\';
      out += c;
    }
  }
  out += quote;
}

void write_repr(Heap& heap, std::string& out, const Value& value, int depth) {
  heap.step();
  need_data(heap, value);
  const size_t before = out.size();
  if (value.is(Kind::kString)) {
    heap.charge(value.text->size());
    write_string(out, *value.text);
  } else if (value.is(Kind::kInteger)) {
    out += std::to_string(value.integer);
  } else if (value.is(Kind::kBool)) {
    out += value.integer != 0 ? "True" : "False";
  } else if (value.is(Kind::kNone)) {
    out += "None";
  }
  heap.charge(out.size() - before);
  if (!value.is(Kind::kList)) return;
  if (depth > kMostListDepth) heap.refuse("lists are nested too deeply");
  out += '[';
  for (size_t i = 0; i < value.list->items.size(); ++i) {
    if (i > 0) out += ", ";
    write_repr(heap, out, value.list->items[i], depth + 1);
  }
  out += ']';
}

bool equal(Heap& heap, const Value& a, const Value& b, int depth) {
  heap.step();
  need_data(heap, a);
  need_data(heap, b);
  if (a.is_number() && b.is_number()) return a.integer == b.integer;
  if (a.kind != b.kind) return false;
  if (a.is(Kind::kString)) {
    heap.step(static_cast<int64_t>(a.text->size()) / kBytesAStep);
    return *a.text == *b.text;
  }
  if (a.is(Kind::kNone) || a.list == b.list) return true;
  if (depth > kMostListDepth) heap.refuse("lists are nested too deeply");
  const std::vector<Value>& left = a.list->items;
  const std::vector<Value>& right = b.list->items;
  if (left.size() != right.size()) return false;
  for (size_t i = 0; i < left.size(); ++i) {
    if (!equal(heap, left[i], right[i], depth + 1)) return false;
  }
  return true;
}

bool less(Heap& heap, const Value& a, const Value& b, Operator op, int depth) {
  heap.step();
  if (a.is_number() && b.is_number()) {
    return op == Operator::kLess ? a.integer < b.integer : a.integer <= b.integer;
  }
  if (a.kind != b.kind || !is_sequence(a)) {
    heap.refuse("{} and {} have no order", type_name(a), type_name(b));
  }
  if (a.is(Kind::kString)) {
    heap.step(static_cast<int64_t>(a.text->size()) / kBytesAStep);
    return op == Operator::kLess ? *a.text < *b.text : *a.text <= *b.text;
  }
  if (depth > kMostListDepth) heap.refuse("lists are nested too deeply");
  const std::vector<Value>& left = a.list->items;
  const std::vector<Value>& right = b.list->items;
  const size_t common = std::min(left.size(), right.size());
  for (size_t i = 0; i < common; ++i) {
    if (!equal(heap, left[i], right[i], depth + 1)) {
      return less(heap, left[i], right[i], op, depth + 1);
    }
  }
  return op == Operator::kLess ? left.size() < right.size() : left.size() <= right.size();
}

// A bound of a slice over `size` elements, as CPython adjusts it.
int64_t bound(Heap& heap, const Value& value, int64_t absent, int64_t size, bool backwards) {
  if (value.is(Kind::kNone)) return absent;
  if (!value.is_number()) heap.refuse("a slice takes integers, not {}", type_name(value));
  int64_t at = value.integer;
  if (at < 0) at = at < -size ? -1 : at + size;
  if (at < 0) return backwards ? -1 : 0;
  return std::min(at, backwards ? size - 1 : size);
}

}  // namespace

std::string_view type_name(const Value& value) {
  constexpr std::string_view kNames[] = {"None", "bool", "int", "str", "list", "range", "function"};
  return kNames[static_cast<size_t>(value.kind)];
}

bool truth(Heap& heap, const Value& value) {
  need_data(heap, value);
  if (value.is(Kind::kString)) return !value.text->empty();
  if (value.is(Kind::kList)) return !value.list->items.empty();
  return value.integer != 0;
}

std::string repr(Heap& heap, const Value& value) {
  std::string out;
  write_repr(heap, out, value, 0);
  return out;
}

std::string str(Heap& heap, const Value& value) {
  return value.is(Kind::kString) ? *value.text : repr(heap, value);
}

Value unary(Heap& heap, Operator op, const Value& value) {
  if (op == Operator::kNot) return Value::of_bool(!truth(heap, value));
  if (!value.is_number()) {
    heap.refuse("{} is not defined for {}", operator_text(op), type_name(value));
  }
  return op == Operator::kPlus ? Value::of_integer(value.integer)
                               : narrowed(heap, -Wide{value.integer});
}

Value binary(Heap& heap, Operator op, const Value& left, const Value& right) {
  if (left.is_number() && right.is_number()) {
    return arithmetic(heap, op, left.integer, right.integer);
  }
  if (op == Operator::kMultiply && is_sequence(left) && right.is_number()) {
    return repeated(heap, left, right.integer);
  }
  if (op == Operator::kMultiply && left.is_number() && is_sequence(right)) {
    return repeated(heap, right, left.integer);
  }
  if (op == Operator::kAdd && left.is(Kind::kString) && right.is(Kind::kString)) {
    heap.charge(left.text->size() + right.text->size());
    return heap.string(*left.text + *right.text);
  }
  if (op == Operator::kAdd && left.is(Kind::kList) && right.is(Kind::kList)) {
    const std::vector<Value>& more = right.list->items;
    heap.charge((left.list->items.size() + more.size()) * sizeof(Value));
    std::vector<Value> items = left.list->items;
    items.insert(items.end(), more.begin(), more.end());
    return heap.list(std::move(items));
  }
  heap.refuse("'{}' is not defined for {} and {}", operator_text(op), type_name(left),
              type_name(right));
}

Value augmented(Heap& heap, Operator op, const Value& left, const Value& right) {
  if (left.is(Kind::kList) && op == Operator::kAdd) {
    // What is added may be the list itself, so that it is read to its end before.
    std::vector<Value> items;
    Iterator iterator(heap, right);
    for (Value item; iterator.next(item);) {
      heap.charge(sizeof(Value));
      items.push_back(item);
    }
    for (const Value& item : items) heap.append(*left.list, item);
    return left;
  }
  const Value result = binary(heap, op, left, right);
  if (!left.is(Kind::kList)) return result;
  left.list->items = result.list->items;
  return left;
}

bool compare(Heap& heap, Operator op, const Value& left, const Value& right) {
  switch (op) {
    case Operator::kEqual:
      return equal(heap, left, right, 0);
    case Operator::kNotEqual:
      return !equal(heap, left, right, 0);
    case Operator::kGreater:
      return less(heap, right, left, Operator::kLess, 0);
    case Operator::kGreaterEqual:
      return less(heap, right, left, Operator::kLessEqual, 0);
    default:
      return less(heap, left, right, op, 0);
  }
}

size_t position(Heap& heap, const Value& index, size_t size) {
  if (!index.is_number()) heap.refuse("an index is an integer, not {}", type_name(index));
  const auto length = static_cast<int64_t>(size);
  const int64_t at = index.integer;
  if (at >= length || at < -length) heap.refuse("index {} is out of range", at);
  return static_cast<size_t>(at < 0 ? at + length : at);
}

Value element(Heap& heap, const Value& value, const Value& index) {
  if (value.is(Kind::kList)) {
    return value.list->items[position(heap, index, value.list->items.size())];
  }
  if (!value.is(Kind::kString)) heap.refuse("{} has no elements", type_name(value));
  return heap.string(std::string(1, (*value.text)[position(heap, index, value.text->size())]));
}

Value slice(Heap& heap, const Value& value, const Value& start, const Value& stop,
            const Value& step) {
  if (!is_sequence(value)) heap.refuse("{} has no slices", type_name(value));
  const bool text = value.is(Kind::kString);
  const auto size = static_cast<int64_t>(text ? value.text->size() : value.list->items.size());
  if (!step.is(Kind::kNone) && !step.is_number()) {
    heap.refuse("a slice takes integers, not {}", type_name(step));
  }
  const int64_t by = step.is(Kind::kNone) ? 1 : step.integer;
  if (by == 0) heap.refuse("the step of a slice is 0");
  const bool backwards = by < 0;
  const int64_t first = bound(heap, start, backwards ? size - 1 : 0, size, backwards);
  const int64_t last = bound(heap, stop, backwards ? -1 : size, size, backwards);
  std::string characters;
  std::vector<Value> items;
  for (Wide at = first; backwards ? at > last : at < last; at += by) {
    heap.charge(text ? 1 : sizeof(Value));
    if (text) {
      characters += (*value.text)[static_cast<size_t>(at)];
    } else {
      items.push_back(value.list->items[static_cast<size_t>(at)]);
    }
  }
  return text ? heap.string(std::move(characters)) : heap.list(std::move(items));
}

}  // namespace minke::python
