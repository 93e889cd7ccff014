#include "math/ops/tape.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <utility>

#include "base/core/check.h"
#include "math/ops/context.h"

namespace minke {
namespace {

constexpr int64_t kClearedAtOnce = 1 << 16;  // floats

}  // namespace

void Tape::track(const Tensor& weight, const Tensor& gradient) {
  CHECK(gradient.shape.elements() == weight.shape.elements());
  weights_[weight.data] = gradient.f32();
}

float* Tape::weight_gradient(const Tensor& weight) const {
  const auto found = weights_.find(weight.data);
  return found == weights_.end() ? nullptr : found->second;
}

void Tape::own(const float* values, int64_t count) {
  if (count > 0) activations_[values] = {count, nullptr};
}

Tape::Activations::value_type& Tape::holder(const float* values) {
  auto next = activations_.upper_bound(values);
  CHECK(next != activations_.begin());
  auto& found = *std::prev(next);
  CHECK(values - found.first < found.second.count);
  return found;
}

float* Tape::gradient(const float* values) {
  auto& [first, activation] = holder(values);
  if (activation.gradient == nullptr) {
    const int64_t count = activation.count;
    float* to = activation.gradient = gradients_.allocate<float>(count);
    pool_.parallel_for((count + kClearedAtOnce - 1) / kClearedAtOnce, [&](int64_t i, int) {
      const int64_t begin = i * kClearedAtOnce;
      std::memset(to + begin, 0, static_cast<size_t>(std::min(kClearedAtOnce, count - begin)) * 4);
    });
  }
  return activation.gradient + (values - first);
}

Tape::Place Tape::place(const float* values) {
  auto& [first, activation] = holder(values);
  CHECK(first == values);
  const bool fresh = activation.gradient == nullptr;
  if (fresh) activation.gradient = gradients_.allocate<float>(activation.count);
  return {activation.gradient, fresh};
}

bool Tape::share_gradient(const float* from, const float* to) {
  auto& [from_first, from_activation] = holder(from);
  auto& [to_first, to_activation] = holder(to);
  CHECK(from_first == from && to_first == to && from_activation.count == to_activation.count);
  if (to_activation.gradient != nullptr) return false;
  gradient(from);
  to_activation.gradient = from_activation.gradient;
  return true;
}

void Tape::run_recomputable(Context& ctx, Tensor& x, const Part& part) {
  CHECK(ctx.tape() == this);
  const Tensor before = x, after = ctx.activation(x.shape);
  const auto bytes = static_cast<size_t>(x.shape.elements()) * sizeof(float);
  ctx.set_tape(nullptr);
  {
    const ScratchScope scratch(ctx);
    std::memcpy(after.data, before.data, bytes);
    x = after;
    part(ctx, x);
    CHECK(x.shape == after.shape);
    if (x.data != after.data) std::memcpy(after.data, x.data, bytes);
  }
  ctx.set_tape(this);
  x = after;
  record([this, before, after, part, router = loads.size()](Context& c) {
    recompute_part(c, before, after, part, router);
  });
}

void Tape::recompute_part(Context& ctx, const Tensor& before, const Tensor& after, const Part& part,
                          size_t router) {
  float* const after_grad = gradient(after.f32());
  auto& [first, operand] = holder(before.f32());
  CHECK(first == before.f32());
  const Arena::Mark mark = gradients_.mark();
  const size_t steps = steps_.size(), noted = loads.size();
  // The part's activations lie where those of another one have been.
  Activations outer = std::exchange(activations_, {{before.f32(), operand}});
  ctx.set_tape(this);
  Tensor x = before;
  part(ctx, x);
  ctx.set_tape(nullptr);
  CHECK(x.data != before.data);
  activations_.at(x.f32()).gradient = after_grad;
  run_steps(ctx, steps);

  float* const found = activations_.at(before.f32()).gradient;
  activations_ = std::move(outer);
  gradients_.release(mark);
  if (operand.gradient == nullptr && found == after_grad) {
    operand.gradient = found;
  } else if (operand.gradient == nullptr && found != nullptr) {
    operand.gradient = gradients_.allocate<float>(operand.count);
    std::memmove(operand.gradient, found, static_cast<size_t>(operand.count) * sizeof(float));
  }
  // Parts behind this one in the pass have noted their routers already.
  std::rotate(loads.begin() + static_cast<int64_t>(router),
              loads.begin() + static_cast<int64_t>(noted), loads.end());
}

void Tape::run_steps(Context& ctx, size_t count) {
  while (steps_.size() > count) {
    const ScratchScope scratch(ctx);
    const auto step = std::move(steps_.back());
    steps_.pop_back();
    step(ctx);
  }
}

void Tape::backward(Context& ctx) {
  CHECK(ctx.tape() == nullptr);
  run_steps(ctx, 0);
}

void Tape::clear() {
  steps_.clear();
  activations_.clear();
  gradients_.reset();
  balance.clear();
  balance_loss = 0;
  loads.clear();
}

}  // namespace minke
