#include "model/layers/attention_gqa.h"

#include <cmath>

#include "math/ops/matmul.h"
#include "model/layers/segment_rows.h"

namespace minke {

namespace {

// Norms each head of x [M, heads * head_dim].
Tensor norm_heads(Context& ctx, const Tensor& x, const Tensor& w, const GqaConfig& config) {
  const Shape flat = x.shape;
  const Shape by_head{flat.elements() / config.head_dim, config.head_dim};
  return rms_norm(ctx, x.reshaped(by_head), w, config.norm_eps).reshaped(flat);
}

}  // namespace

void AttentionGqa::visit(WeightVisitor& visitor, const GqaConfig& config) {
  const int64_t dim = config.dim;
  const int64_t q_rows = config.heads * config.head_dim;
  const int64_t kv_rows = config.kv_heads * config.head_dim;
  const WeightVisitor::Scope scope(visitor, "self_attn.", "");
  visitor.rotated({"q_proj.weight", "attn_q.weight"}, q, {q_rows, dim}, config.heads);
  visitor.rotated({"k_proj.weight", "attn_k.weight"}, k, {kv_rows, dim}, config.kv_heads);
  visitor.matrix({"v_proj.weight", "attn_v.weight"}, v, {kv_rows, dim});
  visitor.matrix({"o_proj.weight", "attn_output.weight"}, o, {dim, q_rows});
  if (config.qkv_bias) {
    visitor.vector({"q_proj.bias", "attn_q.bias"}, q_bias, q_rows);
    visitor.vector({"k_proj.bias", "attn_k.bias"}, k_bias, kv_rows);
    visitor.vector({"v_proj.bias", "attn_v.bias"}, v_bias, kv_rows);
  }
  if (config.qk_norm) {
    visitor.vector({"q_norm.weight", "attn_q_norm.weight"}, q_norm, config.head_dim);
    visitor.vector({"k_norm.weight", "attn_k_norm.weight"}, k_norm, config.head_dim);
  }
}

Tensor AttentionGqa::forward(Context& ctx, const Tensor& x, const RopeAngles& angles,
                             const Batch& batch, int layer, const GqaConfig& config) const {
  const int64_t kv_dim = config.kv_heads * config.head_dim;
  const Activations in = prepare(ctx, x, {&q, &k, &v});
  Tensor query = linear(ctx, in, q, q_bias);
  Tensor key = linear(ctx, in, k, k_bias);
  const Tensor value = linear(ctx, in, v, v_bias);
  if (config.qk_norm) {
    query = norm_heads(ctx, query, q_norm, config);
    key = norm_heads(ctx, key, k_norm, config);
  }
  query = rope(ctx, query, config.head_dim, angles, config.rope_layout);
  key = rope(ctx, key, config.head_dim, angles, config.rope_layout);

  const Tensor out = ctx.activation({x.rows(), config.heads * config.head_dim});
  AttentionHeads heads;
  heads.heads = config.heads;
  heads.kv_heads = config.kv_heads;
  heads.key_dim = heads.value_dim = config.head_dim;
  heads.type = batch.segments[0].cache->layout().type;
  heads.key_stride = heads.value_stride = config.kv_width();
  heads.key_head_stride = heads.value_head_stride = config.head_dim;
  heads.scale = static_cast<float>(1 / std::sqrt(static_cast<double>(config.head_dim)));
  std::vector<AttentionSequence> sequences;
  for (const Segment& s : batch.segments) {
    const int64_t start = s.cache->length();
    for (int64_t i = 0; i < s.rows; ++i) {
      uint8_t* row = s.cache->new_row(layer, start + i);
      store_values(ctx, key.f32() + (s.first_row + i) * kv_dim, kv_dim, heads.type, row);
      store_values(ctx, value.f32() + (s.first_row + i) * kv_dim, kv_dim, heads.type,
                   row + row_bytes(heads.type, kv_dim));
    }
    AttentionSequence& a = sequences.emplace_back(
        cached_sequence(s, layer, 0, row_bytes(heads.type, kv_dim), query, out));
    a.key_source = key.f32() + s.first_row * kv_dim;
    a.value_source = value.f32() + s.first_row * kv_dim;
  }
  attention(ctx, heads, sequences);
  return linear(ctx, out, o);
}

}  // namespace minke
