#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "learn/train/model_parameters.h"

namespace minke {

struct LoraOptions {
  int64_t rank = 8;
  double alpha = 16;
  std::vector<std::string> targets;  // names of modules, "q_proj"; empty: all hidden matrices
};

// Low-rank adaptation (Hu et al., arXiv 2106.09685): a matrix W [out, in] of the model is computed
// with as W + alpha / rank * B A, of which only A [rank, in] and B [out, rank] are trained. The sum
// is formed anew after every step, so that the forward pass is that of a merged model, bit for bit;
// the gradients of A and B follow from that of the sum.
class LoraAdapter {
 public:
  // Adapts those of `base` that the targets name, and makes all others constants. A begins as
  // uniform values within 1 / sqrt(in), B as zeros. Throws Error if a target names no matrix.
  // `base` must outlive this.
  LoraAdapter(ModelParameters& base, const LoraOptions& options, uint64_t seed);

  // A and B of each matrix, under their names in PEFT's files.
  std::span<Parameter> parameters() { return parameters_; }
  // Brings what the model computes with up to date.
  void publish(ThreadPool& pool, const Kernels& kernels);
  // From the gradients of the model's matrices to those of A and B.
  void collect_gradients(ThreadPool& pool, const Kernels& kernels);
  // Writes adapter_config.json and adapter_model.safetensors (F32) as PEFT reads them. `from`: the
  // model that was adapted. Throws Error that names what cannot be written.
  void write(const std::filesystem::path& folder, const std::string& from) const;

 private:
  struct Adapted {
    size_t base;  // index of the model's parameter
    size_t a, b;  // of parameters_
  };
  float scale() const {
    return static_cast<float>(options_.alpha / static_cast<double>(options_.rank));
  }

  ModelParameters& base_;
  LoraOptions options_;
  std::vector<Adapted> adapted_;
  std::vector<Parameter> parameters_;
};

}  // namespace minke
