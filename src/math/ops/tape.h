#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <vector>

#include "base/cpu/memory.h"
#include "base/cpu/thread_pool.h"
#include "math/tensor/tensor.h"

namespace minke {

class Context;

// DeepSeek-V3's sequence-wise balance loss (report, equations 17 to 20) of one sequence: `weight`
// times the sum over experts of f_i P_i.
struct BalanceTerm {
  int64_t first_row = 0, rows = 0;  // of the batch
  double weight = 0;
};

// How many tokens one router sent to each expert.
struct ExpertLoad {
  const float* bias = nullptr;  // the router's selection bias, if it has one: tells which it was
  std::vector<int64_t> tokens;  // [experts]
};

// What a forward pass leaves for its backward pass (reverse-mode differentiation).
//
// While a Context has a tape, each op records how to bring the gradient of its result to its
// operands, and its activations stay in the arena. The ops compute what they compute without a
// tape. Weights, as the Tensor objects that ops were given, must outlive backward(). Gradients are
// F32 and are added in an order that depends on shapes only.
class Tape {
 public:
  explicit Tape(ThreadPool& pool) : pool_(pool) {}

  // Gradients of `weight` go to `gradient`, F32 with as many elements, whenever a backward pass
  // meets it. Weights that are not tracked are constants.
  void track(const Tensor& weight, const Tensor& gradient);
  // Null if the weight is a constant.
  float* weight_gradient(const Tensor& weight) const;

  // Whether recomputable parts of a pass keep their operand alone, and are computed once more for
  // the backward pass: less memory, the same bits.
  bool recompute = false;

  // Balance terms of the pass's routers, and, after backward(), the sum that they came to.
  std::vector<BalanceTerm> balance;
  double balance_loss = 0;
  // Of each router of the pass, in the order of the forward pass; complete after backward().
  std::vector<ExpertLoad> loads;

  // A part of a pass: takes the activation x to another of its shape, in place or not, and uses
  // nothing else that a gradient goes to but weights. It computes the same every time.
  using Part = std::function<void(Context&, Tensor& x)>;
  // Runs the part without recording it. backward() runs it again, recorded, and then its steps;
  // what both needed is released. What the part refers to must live until then.
  void run_recomputable(Context& ctx, Tensor& x, const Part& part);

  // --- for ops ---
  // Declares `count` float values an activation: something that can have a gradient.
  void own(const float* values, int64_t count);
  // The gradient of the activation that holds `values`, from there on; zeros before anything is
  // added.
  float* gradient(const float* values);
  // The same for who writes all of the activation at `values`: `fresh` tells that nothing was added
  // yet, so that what stands there is to be replaced, whatever it is.
  struct Place {
    float* values;
    bool fresh;
  };
  Place place(const float* values);
  // Makes the gradient of the activation at `from` that of the one at `to`, of equal size, whose
  // own gradient nobody looks at any more. False if something was added to it already.
  bool share_gradient(const float* from, const float* to);
  // Steps run in the reverse order of their recording.
  void record(std::function<void(Context&)> step) { steps_.push_back(std::move(step)); }

  // Runs all steps and forgets them. Gradients of activations can be looked at until clear().
  void backward(Context& ctx);
  // Forgets everything but the tracked weights.
  void clear();
  // Bytes held from the system, for gradients of activations.
  size_t capacity() const { return gradients_.capacity(); }

 private:
  struct Activation {
    int64_t count = 0;
    float* gradient = nullptr;
  };
  using Activations = std::map<const float*, Activation>;  // by first value
  Activations::value_type& holder(const float* values);
  // Runs the steps behind the first `count`, the last one first, and forgets them.
  void run_steps(Context& ctx, size_t count);
  // The step of a recomputable part that took `before` to `after`, when `router` loads were noted.
  void recompute_part(Context& ctx, const Tensor& before, const Tensor& after, const Part& part,
                      size_t router);

  ThreadPool& pool_;
  std::map<const uint8_t*, float*> weights_;
  Activations activations_;
  std::vector<std::function<void(Context&)>> steps_;
  Arena gradients_;
};

}  // namespace minke
