#include "model/layers/mlp.h"

namespace minke {

void Mlp::visit(WeightVisitor& v, int64_t dim, int64_t inner, const std::string& suffix) {
  v.matrix({"gate_proj.weight", "ffn_gate" + suffix + ".weight"}, gate, {inner, dim});
  v.matrix({"up_proj.weight", "ffn_up" + suffix + ".weight"}, up, {inner, dim});
  v.matrix({"down_proj.weight", "ffn_down" + suffix + ".weight"}, down, {dim, inner});
}

Tensor Mlp::forward(Context& ctx, const Tensor& x) const {
  return linear(ctx, swiglu(ctx, x, gate, up), down);
}

void MoeMlp::visit(WeightVisitor& v, const MoeConfig& config) {
  // The router is brought to F32: BF16 logits would flip experts that are nearly tied.
  v.router({"gate.weight", "ffn_gate_inp.weight"}, router, {config.experts, config.dim});
  if (config.biased) {
    v.vector({"gate.e_score_correction_bias", "exp_probs_b.bias"}, bias, config.experts);
  }
  v.experts(experts, config.experts, config.inner, config.dim);
  if (config.shared_inner > 0) {
    const WeightVisitor::Scope scope(v, "shared_experts.", "");
    shared.visit(v, config.dim, config.shared_inner, "_shexp");
  }
}

Tensor MoeMlp::forward(Context& ctx, const Tensor& x, const MoeConfig& config) const {
  const Routing routing = route(ctx, linear(ctx, x, router), bias, config.router);
  Tensor out = moe(ctx, x, routing, experts);
  if (config.shared_inner > 0) add_to(ctx, out, shared.forward(ctx, x));
  return out;
}

}  // namespace minke
