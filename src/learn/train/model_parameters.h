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
  // lacks begin as zeros. `type`: F32 or BF16. `apart`: what the model computes with is never the
  // masters themselves. Throws Error for a model whose latent heads stand in two matrices, as in
  // GGUF files.
  ModelParameters(Model& model, DType type, bool apart = false);

  std::span<Parameter> parameters() { return parameters_; }
  // What the model computes with in the place of a parameter.
  const Tensor& computed(size_t parameter) const { return computed_[parameter]; }
  std::span<SelectionBias> selection_biases() { return biases_; }
  int64_t count() const;  // values of all parameters

  // Random weights: normal with deviation 0.02, divided by sqrt(2 layers) for the projections that
  // add to the residual stream (o_proj, down_proj; GPT-2, Radford et al. 2019, section 2.3); norms
  // 1, biases 0. A weight depends on its name and the seed alone.
  void initialize(uint64_t seed, int64_t layers);
  // Makes constants of all parameters but those of which `trained` says so.
  void train_only(const std::vector<bool>& trained) { trained_ = trained; }
  // Row `row` of a computed tensor, from floats.
  static void store_row(const Tensor& computed, int64_t row, const float* values,
                        const Kernels& kernels);
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
  std::vector<bool> trained_;  // of each parameter
};

}  // namespace minke
