#include <cmath>
#include <numeric>

#include <fmt/core.h>

#include "base/core/check.h"
#include "base/core/error.h"
#include "model/families/config_reader.h"
#include "model/families/decoder.h"
#include "model/layers/attention_mla.h"
#include "model/layers/mlp.h"

namespace minke {
namespace {

// How experts are chosen (topk_method).
constexpr std::string_view kGreedy = "greedy";
constexpr std::string_view kGroupLimited = "group_limited_greedy";  // V2
constexpr std::string_view kBiased = "noaux_tc";                    // V3

// DeepSeek-V2, V2-Lite, V2.5, Coder-V2, V3, R1 and V3.1: latent attention, and in all but the first
// layers routed experts beside shared ones. Of the multi-token-prediction modules the first can be
// trained; serving does without.
class DeepSeekModel : public DecoderModel {
 public:
  explicit DeepSeekModel(const Checkpoint& checkpoint);

  void visit_config(ConfigVisitor& v) override;
  void visit(WeightVisitor& v) override;
  Tensor hidden(Context& ctx, const Batch& batch) const override;
  bool add_prediction() override;
  bool predicts() const override { return module_ != nullptr; }
  Tensor predict(Context& ctx, const Batch& batch, const Tensor& states) const override;

 private:
  struct Layer {
    Tensor attention_norm;
    AttentionMla attention;
    Tensor mlp_norm;
    Mlp dense;   // in dense layers
    MoeMlp moe;  // in the others
  };

  // The next token's embedding and the state of a token, joined and brought through one more layer.
  struct Module {
    Tensor embedding_norm, state_norm;
    Tensor join;  // [dim, 2 dim]
    Layer layer;
    Tensor norm;
  };

  struct Groups {
    int64_t count = 1, chosen = 1;
  };

  void visit_layer(WeightVisitor& v, Layer& layer, int64_t index);
  void add_layer(Context& ctx, const Layer& layer, int64_t index, Tensor& x,
                 const RopeAngles& angles, const Batch& batch) const;
  void visit_attention_config(ConfigVisitor& v);
  void visit_moe_config(ConfigVisitor& v);
  void visit_router_config(ConfigVisitor& v);
  bool has_selection_bias(const ConfigVisitor& v) const;
  Groups released_groups(const ConfigVisitor& v, bool biased) const;
  void set_router(const std::string& source);
  void check(const std::string& source) const;
  bool is_moe(int64_t layer) const {
    return moe_.experts > 0 && layer >= dense_layers_ && layer % moe_every_ == 0;
  }

  MlaConfig attention_;
  MoeConfig moe_;
  int64_t dense_inner_ = 0;  // of the MLPs of dense layers
  int64_t dense_layers_ = 0;
  int64_t moe_every_ = 1;
  int64_t shared_experts_ = 0;
  int64_t top_k_ = 1, groups_ = 1, top_groups_ = 1;
  std::string score_, method_;  // scoring_func, topk_method
  bool v3_defaults_ = false;    // of those two, where config.json lacks them
  std::vector<Layer> layers_;
  int64_t modules_ = 0;  // of multi-token prediction, in the files
  std::unique_ptr<Module> module_;
};

DeepSeekModel::DeepSeekModel(const Checkpoint& checkpoint) {
  facts_.family = "deepseek";
  facts_.gguf_architecture = "deepseek2";
  facts_.gguf_source = checkpoint.naming() == Naming::kGguf;
  ConfigReader reader(checkpoint, "deepseek2.");
  reader.require_text({"hidden_act", ""}, "silu");
  reader.require_flag({"attention_bias", ""}, false);
  reader.require_flag({"rope_interleave", ""}, true);
  // transformers' port of V3 knows one router and does not store its fields.
  v3_defaults_ = checkpoint.metadata().text("model_type") == "deepseek_v3";
  visit_config(reader);
  // Cut to its first layers, a model may have none with experts, and no router to tell of.
  bool any_experts = false;
  for (int64_t i = 0; i < config_.layers; ++i) any_experts |= is_moe(i);
  if (!any_experts) moe_.experts = 0;
  set_router(checkpoint.source());
  check(checkpoint.source());
  moe_.dim = attention_.dim = config_.dim;
  moe_.shared_inner = shared_experts_ * moe_.inner;
  attention_.norm_eps = eps();
  attention_.scale = static_cast<float>(softmax_factor(config_.rope_scaling) /
                                        std::sqrt(static_cast<double>(attention_.key_dim())));
  set_rope(attention_.rope_dim);
  layers_.resize(static_cast<size_t>(config_.layers));
  facts_.vocab = config_.vocab;
  facts_.dim = config_.dim;
  facts_.layers = config_.layers;
  facts_.context_length = config_.context_length;
  facts_.kv = {.layers = static_cast<int>(config_.layers),
               .width = attention_.kv_width(),
               .part = std::gcd(attention_.kv_rank, attention_.rope_dim)};
  facts_.full_head_values = attention_.full_head_values();
}

void DeepSeekModel::visit_config(ConfigVisitor& v) {
  visit_shared_config(v);
  // Layers of multi-token prediction stand after the decoder's own and count in GGUF's block_count.
  int64_t predicted = 0;
  v.integer({"", "nextn_predict_layers"}, predicted, 0, config_.layers - 1, 0);
  config_.layers -= predicted;
  if (v.naming() == Naming::kHuggingFace) {
    v.integer({"num_nextn_predict_layers", ""}, modules_, 0, 64, 0);
  }
  visit_attention_config(v);
  v.integer({"intermediate_size", "feed_forward_length"}, dense_inner_, 1, 1 << 24);
  visit_moe_config(v);
  v.rope(config_.rope_theta, config_.rope_scaling, /*deepseek=*/true);
}

void DeepSeekModel::visit_attention_config(ConfigVisitor& v) {
  constexpr int64_t kMost = 1 << 16;
  MlaConfig& a = attention_;
  v.integer({"num_attention_heads", "attention.head_count"}, a.heads, 1, kMost);
  v.integer({"q_lora_rank", "attention.q_lora_rank"}, a.q_rank, 0, kMost, 0);
  v.integer({"kv_lora_rank", "attention.kv_lora_rank"}, a.kv_rank, 1, kMost);
  v.integer({"qk_rope_head_dim", "rope.dimension_count"}, a.rope_dim, 2, kMost);
  if (v.naming() == Naming::kHuggingFace) {
    v.integer({"qk_nope_head_dim", ""}, a.nope_dim, 1, kMost);
    v.integer({"v_head_dim", ""}, a.value_dim, 1, kMost);
    return;
  }
  // Files with a split kv_b call the cached row's widths key_length and value_length and the heads'
  // own *_mla; older files have the heads' own only.
  const bool split = v.has({"", "attention.key_length_mla"});
  int64_t key = a.key_dim(), value = a.value_dim;
  v.integer({"", split ? "attention.key_length_mla" : "attention.key_length"}, key, a.rope_dim + 1,
            kMost);
  v.integer({"", split ? "attention.value_length_mla" : "attention.value_length"}, value, 1, kMost);
  a.nope_dim = key - a.rope_dim;
  a.value_dim = value;
  v.derived("attention.key_length", a.kv_width());
  v.derived("attention.value_length", a.kv_rank);
  v.derived("attention.head_count_kv", 1);
}

void DeepSeekModel::visit_moe_config(ConfigVisitor& v) {
  v.integer({"n_routed_experts", "expert_count"}, moe_.experts, 0, 1 << 16, 0);
  v.integer({"first_k_dense_replace", "leading_dense_block_count"}, dense_layers_, 0, 1 << 16, 0);
  if (moe_.experts == 0 && !v.lists_all()) return;
  v.integer({"moe_layer_freq", ""}, moe_every_, 1, 1 << 16, 1);
  v.integer({"num_experts_per_tok", "expert_used_count"}, top_k_, 1, 1 << 16);
  v.integer({"moe_intermediate_size", "expert_feed_forward_length"}, moe_.inner, 1, 1 << 24);
  v.integer({"n_shared_experts", "expert_shared_count"}, shared_experts_, 0, 1 << 10, 0);
  visit_router_config(v);
}

void DeepSeekModel::visit_router_config(ConfigVisitor& v) {
  const bool gguf = v.naming() == Naming::kGguf;
  RouterOptions& router = moe_.router;
  double scale = router.scale;
  v.number({"routed_scaling_factor", "expert_weights_scale"}, scale, gguf ? 0 : 1e-6, 1e6, 1);
  router.scale = static_cast<float>(scale);
  if (router.scale == 0) router.scale = 1;  // GGUF files mean no scaling by 0
  v.flag({"norm_topk_prob", "expert_weights_norm"}, router.normalize, false);
  if (gguf) {
    int64_t gating = score_ == "sigmoid" ? 2 : 1;
    v.integer({"", "expert_gating_func"}, gating, 1, 2, 1);
    score_ = gating == 2 ? "sigmoid" : "softmax";
  } else {
    v.text({"scoring_func", ""}, score_, v3_defaults_ ? "sigmoid" : "softmax");
  }
  const bool biased = gguf && has_selection_bias(v);
  const Groups missing = gguf ? released_groups(v, biased) : Groups{};
  v.integer({"n_group", "expert_group_count"}, groups_, 1, 1 << 10, missing.count);
  v.integer({"topk_group", "expert_group_used_count"}, top_groups_, 1, 1 << 10, missing.chosen);
  // GGUF metadata does not name the method. A selection bias means noaux_tc, groups without one
  // mean group_limited_greedy.
  std::string_view method = v3_defaults_ ? kBiased : kGreedy;
  if (gguf) method = biased ? kBiased : groups_ > 1 ? kGroupLimited : kGreedy;
  v.text({"topk_method", ""}, method_, method);
}

bool DeepSeekModel::has_selection_bias(const ConfigVisitor& v) const {
  for (int64_t i = 0; i < config_.layers; ++i) {
    if (v.tensor(fmt::format("blk.{}.exp_probs_b.bias", i))) return true;
  }
  return false;
}

// GGUF conversions before late 2025 lack the groups: then those of the released models with that
// many experts are meant (docs/decisions/004-missing-expert-groups.md).
DeepSeekModel::Groups DeepSeekModel::released_groups(const ConfigVisitor& v, bool biased) const {
  if (v.has({"", "expert_group_count"})) return {};
  if (moe_.experts == 256 && biased && config_.layers == 61) return {8, 4};  // V3, R1, V3.1
  if (moe_.experts == 160 && !biased) return {8, 3};                         // V2, V2.5, Coder-V2
  return {};
}

// From what was read to what is computed with.
void DeepSeekModel::set_router(const std::string& source) {
  if (moe_.experts == 0) return;
  if (score_ != "softmax" && score_ != "sigmoid") {
    fail(source, "scoring_func: expected softmax or sigmoid, found \"{}\"", printable(score_));
  }
  if (method_ != kGreedy && method_ != kGroupLimited && method_ != kBiased) {
    fail(source, "topk_method: expected greedy, group_limited_greedy or noaux_tc, found \"{}\"",
         printable(method_));
  }
  // config.json may hold groups that this method does not look at.
  if (method_ == kGreedy && !facts_.gguf_source) groups_ = top_groups_ = 1;
  if (method_ == kGroupLimited && groups_ == 1) method_ = kGreedy;  // the same choice
  moe_.biased = method_ == kBiased;
  moe_.router.score = score_ == "sigmoid" ? RouterScore::kSigmoid : RouterScore::kSoftmax;
  moe_.router.top_k = static_cast<int>(top_k_);
  moe_.router.groups = static_cast<int>(groups_);
  moe_.router.top_groups = static_cast<int>(top_groups_);
  moe_.router.group_score = moe_.biased ? GroupScore::kTopTwoSum : GroupScore::kMax;
}

void DeepSeekModel::check(const std::string& source) const {
  if (attention_.rope_dim % 2 != 0) fail(source, "rotary size {} is odd", attention_.rope_dim);
  if (moe_.experts == 0) return;
  if (moe_.experts % groups_ != 0) {
    fail(source, "{} experts do not divide into {} groups", moe_.experts, groups_);
  }
  if (top_groups_ > groups_) {
    fail(source, "expected at most {} chosen groups, found {}", groups_, top_groups_);
  }
  const int64_t eligible = moe_.experts / groups_ * top_groups_;
  if (top_k_ > eligible) {
    fail(source, "expected at most {} experts for a token, found {}", eligible, top_k_);
  }
}

void DeepSeekModel::visit_layer(WeightVisitor& v, Layer& l, int64_t index) {
  v.vector({"input_layernorm.weight", "attn_norm.weight"}, l.attention_norm, config_.dim);
  l.attention.visit(v, attention_);
  v.vector({"post_attention_layernorm.weight", "ffn_norm.weight"}, l.mlp_norm, config_.dim);
  const WeightVisitor::Scope mlp(v, "mlp.", "");
  if (is_moe(index)) {
    l.moe.visit(v, moe_);
  } else {
    l.dense.visit(v, config_.dim, dense_inner_, "");
  }
}

void DeepSeekModel::visit(WeightVisitor& v) {
  visit_embedding(v);
  for (size_t i = 0; i < layers_.size(); ++i) {
    const WeightVisitor::Scope scope(v, fmt::format("model.layers.{}.", i),
                                     fmt::format("blk.{}.", i));
    visit_layer(v, layers_[i], static_cast<int64_t>(i));
  }
  if (module_) {
    const WeightVisitor::Scope scope(v, fmt::format("model.layers.{}.", config_.layers), "");
    v.vector({"enorm.weight", ""}, module_->embedding_norm, config_.dim);
    v.vector({"hnorm.weight", ""}, module_->state_norm, config_.dim);
    v.matrix({"eh_proj.weight", ""}, module_->join, {config_.dim, 2 * config_.dim});
    visit_layer(v, module_->layer, config_.layers);
    v.vector({"shared_head.norm.weight", ""}, module_->norm, config_.dim);
  }
  visit_head(v);
}

void DeepSeekModel::add_layer(Context& ctx, const Layer& l, int64_t index, Tensor& x,
                              const RopeAngles& angles, const Batch& batch) const {
  const int cache_layer = static_cast<int>(index);
  const Tensor normed = rms_norm(ctx, x, l.attention_norm, eps());
  add_to(ctx, x, l.attention.forward(ctx, normed, angles, batch, cache_layer, attention_));
  const Tensor mlp_in = rms_norm(ctx, x, l.mlp_norm, eps());
  add_to(ctx, x, is_moe(index) ? l.moe.forward(ctx, mlp_in, moe_) : l.dense.forward(ctx, mlp_in));
}

Tensor DeepSeekModel::hidden(Context& ctx, const Batch& batch) const {
  return run(
      ctx, batch,
      [this](Context& c, int64_t index, Tensor& x, const RopeAngles& angles, const Batch& b) {
        add_layer(c, layers_[static_cast<size_t>(index)], index, x, angles, b);
      });
}

bool DeepSeekModel::add_prediction() {
  if (modules_ == 0) return false;
  module_ = std::make_unique<Module>();
  facts_.kv.layers = static_cast<int>(config_.layers) + 1;
  return true;
}

// The state is the one after the final norm, as transformers and serving engines have it; the
// report does not say.
Tensor DeepSeekModel::predict(Context& ctx, const Batch& batch, const Tensor& states) const {
  CHECK(module_ != nullptr);
  const Module& m = *module_;
  const Tensor next = rms_norm(ctx, embedding(ctx, embed_, batch.tokens), m.embedding_norm, eps());
  const Tensor state = rms_norm(ctx, states, m.state_norm, eps());
  Tensor x = linear(ctx, join_columns(ctx, next, state), m.join);
  run_layer(ctx, config_.layers, x, angles_of(ctx, batch), batch,
            [this](Context& c, int64_t index, Tensor& y, const RopeAngles& angles, const Batch& b) {
              add_layer(c, module_->layer, index, y, angles, b);
            });
  for (const Segment& s : batch.segments) s.cache->advance(s.rows);
  return rms_norm(ctx, x, m.norm, eps());
}

}  // namespace

std::unique_ptr<Model> make_deepseek(const Checkpoint& checkpoint) {
  return std::make_unique<DeepSeekModel>(checkpoint);
}

}  // namespace minke
