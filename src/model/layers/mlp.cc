#include "model/layers/mlp.h"

namespace minke {

void Mlp::visit(WeightVisitor& v, int64_t dim, int64_t inner, const std::string& suffix) {
  v.matrix({"gate_proj.weight", "ffn_gate" + suffix + ".weight"}, gate, {inner, dim});
  v.matrix({"up_proj.weight", "ffn_up" + suffix + ".weight"}, up, {inner, dim});
  v.matrix({"down_proj.weight", "ffn_down" + suffix + ".weight"}, down, {dim, inner});
}

Tensor Mlp::forward(Context& ctx, const Tensor& x) const {
  return forward(ctx, prepare(ctx, x, {&gate, &up}));
}

Tensor Mlp::forward(Context& ctx, const Activations& x) const {
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
  std::vector<const Tensor*> weights = {&experts.gate[0], &experts.up[0]};
  if (config.shared_inner > 0) weights.insert(weights.end(), {&shared.gate, &shared.up});
  const Activations in = prepare(ctx, x, weights);
  Tensor out = moe(ctx, in, routing, experts);
  if (config.shared_inner > 0) add_to(ctx, out, shared.forward(ctx, in));
  return out;
}

}  // namespace minke
