#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/cpu/thread_pool.h"
#include "learn/train/parameter.h"
#include "math/ops/tape.h"
#include "model/families/model.h"

namespace minke {

// A selection bias of a router (DeepSeek-V3's e_score_correction_bias): no gradient reaches it; the
// trainer moves it to balance the experts.
struct SelectionBias {
  std::string name;
  Tensor values;  // F32 [experts]
};

// The weights of a model, made ready for training: float32 masters that the optimizer changes, and
// what the model computes with, which is the masters themselves or, for matrices, their rounding to
// bfloat16.
class ModelParameters {
 public:
  // Takes over the weights of `model`, which must outlive this: those it has are decoded, those it
  // lacks begin as zeros. `type`: F32 or BF16.
  ModelParameters(Model& model, DType type);

  std::span<Parameter> parameters() { return parameters_; }
  std::span<SelectionBias> selection_biases() { return biases_; }
  int64_t count() const;  // values of all parameters

  // Random weights: normal with deviation 0.02, divided by sqrt(2 layers) for the projections that
  // add to the residual stream (o_proj, down_proj; GPT-2, Radford et al. 2019, section 2.3); norms
  // 1, biases 0. A weight depends on its name and the seed alone.
  void initialize(uint64_t seed, int64_t layers);
  // Brings what the model computes with up to date with the masters.
  void publish(ThreadPool& pool, const Kernels& kernels);
  void clear_gradients(ThreadPool& pool);
  // Lets a backward pass add to the parameters' gradients.
  void track(Tape& tape) const;

 private:
  friend class ParameterCollector;

  std::vector<Parameter> parameters_;
  std::vector<Tensor> computed_;  // of each parameter
  std::vector<SelectionBias> biases_;
};

}  // namespace minke
