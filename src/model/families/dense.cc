#include "model/families/dense.h"

#include <cmath>

#include <fmt/core.h>

#include "base/core/error.h"
#include "model/families/config_reader.h"

namespace minke {

DenseModel::DenseModel(const DenseFacts& facts, const Checkpoint& checkpoint) {
  facts_.family = facts_.gguf_architecture = facts.family;
  facts_.gguf_source = checkpoint.naming() == Naming::kGguf;
  facts_.permuted_in_gguf = facts.permuted_in_gguf;
  attention_.qkv_bias = facts.qkv_bias;
  attention_.qk_norm = facts.qk_norm;
  attention_.rope_layout = facts.permuted_in_gguf && facts_.gguf_source ? RopeLayout::kInterleaved
                                                                        : RopeLayout::kHalfSplit;
  ConfigReader reader(checkpoint, facts.family + ".");
  reader.require_text({"hidden_act", ""}, "silu");
  reader.require_flag({"mlp_bias", ""}, false);
  reader.require_flag({"use_sliding_window", ""}, false);
  if (!facts.qkv_bias) reader.require_flag({"attention_bias", ""}, false);
  reader.require_none({"num_local_experts", "expert_count"}, "experts");
  visit_config(reader);
  if (attention_.heads % attention_.kv_heads != 0) {
    fail(checkpoint.source(), "{} query heads are not a multiple of {} key-value heads",
         attention_.heads, attention_.kv_heads);
  }
  if (attention_.head_dim % 2 != 0) {
    fail(checkpoint.source(), "head size {} is odd", attention_.head_dim);
  }
  attention_.dim = config_.dim;
  attention_.norm_eps = eps();
  set_rope(attention_.head_dim);
  layers_.resize(static_cast<size_t>(config_.layers));
  facts_.vocab = config_.vocab;
  facts_.dim = config_.dim;
  facts_.layers = config_.layers;
  facts_.context_length = config_.context_length;
  facts_.kv = {.layers = static_cast<int>(config_.layers),
               .width = attention_.kv_width(),
               .part = attention_.head_dim};
}

void DenseModel::visit_config(ConfigVisitor& v) {
  visit_shared_config(v);
  GqaConfig& a = attention_;
  v.integer({"num_attention_heads", "attention.head_count"}, a.heads, 1, 1 << 16);
  v.integer({"num_key_value_heads", "attention.head_count_kv"}, a.kv_heads, 1, 1 << 16, a.heads);
  v.integer({"head_dim", "attention.key_length"}, a.head_dim, 1, 1 << 16,
            std::max<int64_t>(1, config_.dim / a.heads));
  v.integer({"", "attention.value_length"}, a.head_dim, a.head_dim, a.head_dim, a.head_dim);
  int64_t rotated = a.head_dim;
  v.integer({"", "rope.dimension_count"}, rotated, a.head_dim, a.head_dim, a.head_dim);
  v.integer({"intermediate_size", "feed_forward_length"}, inner_, 1, 1 << 24);
  v.rope(config_.rope_theta, config_.rope_scaling, /*deepseek=*/false);
}

void DenseModel::visit(WeightVisitor& v) {
  visit_embedding(v);
  if (rope_divisors_ || facts_.gguf_source) {
    const bool baked = static_cast<bool>(rope_divisors_);
    v.vector({"", "rope_freqs.weight"}, rope_divisors_, attention_.head_dim / 2,
             WeightVisitor::Need::kOptional);
    if (!baked && rope_divisors_) {
      divide_frequencies();
    }
  }
  for (size_t i = 0; i < layers_.size(); ++i) {
    const WeightVisitor::Scope scope(v, fmt::format("model.layers.{}.", i),
                                     fmt::format("blk.{}.", i));
    Layer& l = layers_[i];
    v.vector({"input_layernorm.weight", "attn_norm.weight"}, l.attention_norm, config_.dim);
    l.attention.visit(v, attention_);
    v.vector({"post_attention_layernorm.weight", "ffn_norm.weight"}, l.mlp_norm, config_.dim);
    const WeightVisitor::Scope mlp(v, "mlp.", "");
    l.mlp.visit(v, config_.dim, inner_, "");
  }
  visit_head(v);
}

void DenseModel::divide_frequencies() {
  for (size_t i = 0; i < inv_freq_.size(); ++i) {
    const float divisor = rope_divisors_.f32()[i];
    if (!(divisor > 0) || !std::isfinite(divisor)) {
      fail("rope_freqs.weight", "expected divisors above 0, found {} at {}", divisor, i);
    }
    inv_freq_[i] /= divisor;
  }
}

void DenseModel::add_layer(Context& ctx, int64_t index, Tensor& x, const RopeAngles& angles,
                           const Batch& batch) const {
  const Layer& l = layers_[static_cast<size_t>(index)];
  const Tensor normed = rms_norm(ctx, x, l.attention_norm, eps());
  add_to(ctx, x,
         l.attention.forward(ctx, normed, angles, batch, static_cast<int>(index), attention_));
  add_to(ctx, x, l.mlp.forward(ctx, rms_norm(ctx, x, l.mlp_norm, eps())));
}

Tensor DenseModel::hidden(Context& ctx, const Batch& batch) const {
  return run(ctx, batch,
             [this](Context& c, int64_t index, Tensor& x, const RopeAngles& angles,
                    const Batch& b) { add_layer(c, index, x, angles, b); });
}

}  // namespace minke
