#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "base/cpu/thread_pool.h"
#include "learn/train/parameter.h"
#include "math/kernels/kernels.h"

namespace minke {

enum class OptimizerKind { kAdamW, kMuon };

struct OptimizerOptions {
  OptimizerKind kind = OptimizerKind::kMuon;
  // AdamW: how fast the averages of gradients and of their squares forget.
  double beta1 = 0.9;
  double beta2 = 0.95;
  double epsilon = 1e-8;
  // The share of a weight that one step at learning rate 1 takes away. Vectors do not decay.
  double weight_decay = 0.1;
  // Muon: how fast the sum of gradients forgets.
  double momentum = 0.95;
};

struct StepOptions {
  double learning_rate = 0;
  int64_t step = 1;  // counted from 1
};

// Changes weights by their gradients. An optimizer is made for one list of parameters and is always
// given that list; what it remembers of each stands in F32 tensors that a checkpoint can hold.
// The results are the same bits for any number of threads, and after a state was saved and put
// back.
class Optimizer {
 public:
  // `state` may be written to; its memory is the optimizer's own.
  using StateVisitor = std::function<void(const std::string& name, Tensor& state)>;

  virtual ~Optimizer() = default;
  // One step from the gradients, which stay as they are.
  virtual void step(ThreadPool& pool, std::span<Parameter> parameters,
                    const StepOptions& options) = 0;
  // Shows each tensor of the state once, in the order of the parameters, under the parameter's name
  // and a suffix: "model.norm.weight.first_moment".
  virtual void visit_state(const StateVisitor& visit) = 0;
};

// AdamW, or Muon for ParameterRole::kMatrix with AdamW for the other roles. The state begins as
// zeros.
std::unique_ptr<Optimizer> make_optimizer(const OptimizerOptions& options, const Kernels& kernels,
                                          std::span<const Parameter> parameters);

// The Euclidean norm of all gradients together. NaN or infinite if a gradient is.
double gradient_norm(ThreadPool& pool, std::span<const Parameter> parameters);

// Scales all gradients by max_norm / norm if their norm is above max_norm, and returns the norm
// before that. One that is not finite leaves the gradients as they are, for the caller to act on.
double clip_gradients(ThreadPool& pool, std::span<Parameter> parameters, double max_norm);

}  // namespace minke
