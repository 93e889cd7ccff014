#pragma once

#include "math/ops/matmul.h"
#include "model/layers/weights.h"

namespace minke {

// down(silu(gate x) * up x), no biases.
struct Mlp {
  Tensor gate, up, down;

  // `suffix` of the GGUF names: "" for dense layers, "_shexp" for shared experts.
  void visit(WeightVisitor& v, int64_t dim, int64_t inner, const std::string& suffix);
  // [M, dim] -> [M, dim].
  Tensor forward(Context& ctx, const Tensor& x) const;
  // The same of activations that are prepared for gate and up.
  Tensor forward(Context& ctx, const Activations& x) const;
};

// Routed experts plus a shared one that every token uses (DeepSeek-V2 report, equation 20).
struct MoeConfig {
  int64_t dim = 0;
  int64_t experts = 0;
  int64_t inner = 0;         // of one routed expert
  int64_t shared_inner = 0;  // of the shared one; 0: there is none
  bool biased = false;       // selection uses a bias (DeepSeek-V3's e_score_correction_bias)
  RouterOptions router;
};

struct MoeMlp {
  Tensor router;  // [experts, dim], F32
  Tensor bias;    // [experts] or empty
  Experts experts;
  Mlp shared;

  void visit(WeightVisitor& v, const MoeConfig& config);
  Tensor forward(Context& ctx, const Tensor& x, const MoeConfig& config) const;
};

}  // namespace minke
