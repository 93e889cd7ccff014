#include "learn/tasks/python/value.h"

#include "base/core/error.h"

namespace minke::python {
namespace {

// What an empty string or list takes besides its elements.
constexpr size_t kObjectBytes = 64;

}  // namespace

void Heap::refuse_text(std::string_view message) const {
  fail(fmt::format("line {}", line_), "{}", message);
}

void Heap::step(int64_t count) {
  steps_ += count;
  if (steps_ > limits_.steps) refuse("more than {} steps", limits_.steps);
}

void Heap::charge(size_t bytes) {
  if (bytes > limits_.memory - bytes_) refuse("more than {} bytes of memory", limits_.memory);
  bytes_ += bytes;
}

void Heap::charge_times(int64_t count, size_t bytes) {
  if (count <= 0 || bytes == 0) return;
  if (static_cast<uint64_t>(count) > limits_.memory / bytes) {
    refuse("more than {} bytes of memory", limits_.memory);
  }
  charge(static_cast<size_t>(count) * bytes);
}

void Heap::print(std::string_view text) {
  if (text.size() > limits_.output - output_.size()) {
    refuse("more than {} bytes of output", limits_.output);
  }
  output_ += text;
}

Value Heap::string(std::string text) {
  charge(kObjectBytes + text.size());
  strings_.push_back(std::move(text));
  return {.kind = Value::Kind::kString, .text = &strings_.back()};
}

Value Heap::list(std::vector<Value> items) {
  charge(kObjectBytes + items.size() * sizeof(Value));
  lists_.push_back({std::move(items)});
  return {.kind = Value::Kind::kList, .list = &lists_.back()};
}

Value Heap::range(Range range) {
  charge(kObjectBytes);
  ranges_.push_back(range);
  return {.kind = Value::Kind::kRange, .range = &ranges_.back()};
}

void Heap::append(List& list, Value item) {
  charge(sizeof(Value));
  list.items.push_back(item);
}

}  // namespace minke::python
