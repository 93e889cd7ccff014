#include "math/ops/tape.h"

#include <cstring>
#include <iterator>

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

void Tape::backward(Context& ctx) {
  CHECK(ctx.tape() == nullptr);
  while (!steps_.empty()) {
    const ScratchScope scratch(ctx);
    const auto step = std::move(steps_.back());
    steps_.pop_back();
    step(ctx);
  }
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
