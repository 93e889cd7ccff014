#include <algorithm>
#include <array>
#include <charconv>

#include "base/core/error.h"
#include "learn/tasks/python/operations.h"

namespace minke::python {
namespace {

using Kind = Value::Kind;
using Arguments = std::vector<Value>;

// Number of values a range goes through.
int64_t range_length(Heap& heap, const Range& range) {
  const __int128 span =
      range.step > 0 ? __int128{range.stop} - range.start : __int128{range.start} - range.stop;
  if (span <= 0) return 0;
  const __int128 step = range.step > 0 ? __int128{range.step} : -__int128{range.step};
  const __int128 length = (span + step - 1) / step;
  if (length > INT64_MAX) heap.refuse("integer too large");
  return static_cast<int64_t>(length);
}

void need_count(Heap& heap, std::string_view name, const Arguments& arguments, size_t least,
                size_t most) {
  if (arguments.size() >= least && arguments.size() <= most) return;
  heap.refuse("{}() takes {} to {} arguments here, found {}", name, least, most, arguments.size());
}

Value call_abs(Heap& heap, const Arguments& arguments) {
  need_count(heap, "abs", arguments, 1, 1);
  const Value& value = arguments[0];
  if (!value.is_number()) heap.refuse("abs() takes an integer, not {}", type_name(value));
  return unary(heap, value.integer < 0 ? Operator::kNegate : Operator::kPlus, value);
}

Value call_int(Heap& heap, const Arguments& arguments) {
  need_count(heap, "int", arguments, 1, 1);
  if (arguments[0].is_number()) return Value::of_integer(arguments[0].integer);
  if (!arguments[0].is(Kind::kString)) {
    heap.refuse("int() takes a number or a string, not {}", type_name(arguments[0]));
  }
  constexpr std::string_view kSpace = " \t\n";
  std::string_view text = *arguments[0].text;
  const size_t first = std::min(text.find_first_not_of(kSpace), text.size());
  text.remove_prefix(first);
  text = text.substr(0, text.find_last_not_of(kSpace) + 1);
  if (text.starts_with('+') && text.size() > 1 && text[1] != '-') text.remove_prefix(1);
  // CPython refuses longer texts (sys.int_info.default_max_str_digits), and so they cost no time.
  constexpr size_t kMostDigits = 4300;
  if (text.size() > kMostDigits) {
    heap.refuse("int() takes at most {} digits, found {}", kMostDigits, text.size());
  }
  constexpr size_t kDigitsOfStep = 64;
  heap.step(static_cast<int64_t>(text.size() / kDigitsOfStep));
  int64_t value = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault == std::errc::result_out_of_range) heap.refuse("integer too large");
  if (fault != std::errc{} || end != text.data() + text.size()) {
    heap.refuse("int() takes decimal digits, found '{}'", printable(*arguments[0].text, 40));
  }
  return Value::of_integer(value);
}

Value call_len(Heap& heap, const Arguments& arguments) {
  need_count(heap, "len", arguments, 1, 1);
  const Value& value = arguments[0];
  if (value.is(Kind::kRange)) return Value::of_integer(range_length(heap, *value.range));
  if (value.is(Kind::kList)) {
    return Value::of_integer(static_cast<int64_t>(value.list->items.size()));
  }
  if (!value.is(Kind::kString)) heap.refuse("{} has no length", type_name(value));
  return Value::of_integer(static_cast<int64_t>(value.text->size()));
}

Value call_print(Heap& heap, const Arguments& arguments) {
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (i > 0) heap.print(" ");
    heap.print(str(heap, arguments[i]));
  }
  heap.print("\n");
  return {};
}

Value call_range(Heap& heap, const Arguments& arguments) {
  need_count(heap, "range", arguments, 1, 3);
  for (const Value& value : arguments) {
    if (!value.is_number()) heap.refuse("range() takes integers, not {}", type_name(value));
  }
  Range range;
  if (arguments.size() == 1) {
    range.stop = arguments[0].integer;
  } else {
    range.start = arguments[0].integer;
    range.stop = arguments[1].integer;
    if (arguments.size() == 3) range.step = arguments[2].integer;
  }
  if (range.step == 0) heap.refuse("the step of a range is 0");
  return heap.range(range);
}

// The first of the smallest, or of the largest, of one iterable or of the arguments.
Value extreme(Heap& heap, std::string_view name, const Arguments& arguments, Operator better) {
  if (arguments.empty()) heap.refuse("{}() takes an argument", name);
  Arguments all = arguments;
  if (arguments.size() == 1) {
    all.clear();
    Iterator iterator(heap, arguments[0]);
    for (Value item; iterator.next(item);) {
      heap.charge(sizeof(Value));
      all.push_back(item);
    }
  }
  if (all.empty()) heap.refuse("{}() of nothing", name);
  Value best = all[0];
  for (size_t i = 1; i < all.size(); ++i) {
    if (compare(heap, better, all[i], best)) best = all[i];
  }
  return best;
}

Value call_min(Heap& heap, const Arguments& arguments) {
  return extreme(heap, "min", arguments, Operator::kLess);
}

Value call_max(Heap& heap, const Arguments& arguments) {
  return extreme(heap, "max", arguments, Operator::kGreater);
}

Value call_sorted(Heap& heap, const Arguments& arguments) {
  need_count(heap, "sorted", arguments, 1, 1);
  std::vector<Value> items;
  Iterator iterator(heap, arguments[0]);
  for (Value item; iterator.next(item);) {
    heap.charge(sizeof(Value));
    items.push_back(item);
  }
  std::ranges::stable_sort(
      items, [&](const Value& a, const Value& b) { return compare(heap, Operator::kLess, a, b); });
  return heap.list(std::move(items));
}

Value call_str(Heap& heap, const Arguments& arguments) {
  need_count(heap, "str", arguments, 1, 1);
  if (arguments[0].is(Kind::kString)) return arguments[0];
  return heap.string(repr(heap, arguments[0]));
}

Value call_sum(Heap& heap, const Arguments& arguments) {
  need_count(heap, "sum", arguments, 1, 2);
  Value total = arguments.size() == 2 ? arguments[1] : Value::of_integer(0);
  if (total.is(Kind::kString)) heap.refuse("sum() adds no strings");
  Iterator iterator(heap, arguments[0]);
  for (Value item; iterator.next(item);) total = binary(heap, Operator::kAdd, total, item);
  return total;
}

struct Builtin {
  std::string_view name;
  Value (*call)(Heap&, const Arguments&);
};
constexpr std::array kBuiltins = {Builtin{"abs", call_abs},     Builtin{"int", call_int},
                                  Builtin{"len", call_len},     Builtin{"max", call_max},
                                  Builtin{"min", call_min},     Builtin{"print", call_print},
                                  Builtin{"range", call_range}, Builtin{"sorted", call_sorted},
                                  Builtin{"str", call_str},     Builtin{"sum", call_sum}};

}  // namespace

Iterator::Iterator(Heap& heap, const Value& value) : heap_(heap), value_(value) {
  if (value.is(Kind::kRange)) {
    left_ = range_length(heap, *value.range);
    at_ = value.range->start;
  } else if (!value.is(Kind::kList) && !value.is(Kind::kString)) {
    heap.refuse("{} is nothing to go through", type_name(value));
  }
}

bool Iterator::next(Value& item) {
  heap_.step();
  if (value_.is(Kind::kRange)) {
    if (left_ == 0) return false;
    item = Value::of_integer(at_);
    // The step after the last value could leave 64 bits.
    if (--left_ > 0) at_ += value_.range->step;
    return true;
  }
  const bool text = value_.is(Kind::kString);
  if (index_ >= (text ? value_.text->size() : value_.list->items.size())) return false;
  item = text ? heap_.string(std::string(1, (*value_.text)[index_])) : value_.list->items[index_];
  ++index_;
  return true;
}

bool is_builtin(std::string_view name) {
  return std::ranges::find(kBuiltins, name, &Builtin::name) != kBuiltins.end();
}

Value call_builtin(Heap& heap, std::string_view name, const std::vector<Value>& arguments) {
  return std::ranges::find(kBuiltins, name, &Builtin::name)->call(heap, arguments);
}

}  // namespace minke::python
