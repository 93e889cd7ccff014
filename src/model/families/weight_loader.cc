#include "model/families/weight_loader.h"

#include <algorithm>
#include <charconv>
#include <set>

#include <fmt/core.h>

#include "base/core/error.h"
#include "math/quant/quant.h"

namespace minke {
namespace {

// Tensors beside the weights: tables computed from the configuration, factors that come with
// another tensor, sparse-attention indexers (V3.2 below their limit is V3), heads that a tied model
// repeats, layers of multi-token prediction.
constexpr std::string_view kCompanions[] = {
    "rotary_emb.inv_freq", "rope_freqs.weight", "weight_scale_inv", "indexer.",
    "lm_head.weight",      "mtp_layers.",       "nextn.",           "attn_k_b.weight",
    "attn_v_b.weight",
};

// The index of the layer that a tensor belongs to; -1 if it belongs to none.
int64_t layer_of(std::string_view name) {
  for (const std::string_view prefix : {"model.layers.", "blk."}) {
    if (!name.starts_with(prefix)) continue;
    int64_t layer = -1;
    std::from_chars(name.data() + prefix.size(), name.data() + name.size(), layer);
    return layer;
  }
  return -1;
}

}  // namespace

std::string WeightLoader::full_name(WeightName name) const {
  return checkpoint_.naming() == Naming::kGguf ? full_gguf(name.gguf)
                                               : full_hugging_face(name.hugging_face);
}

Tensor WeightLoader::find(const std::string& name, const Shape& shape, Need need) const {
  const auto found = name.empty() ? std::nullopt : checkpoint_.find(name);
  if (found) asked_.insert(name);
  if (found && found->type == DType::kF8E4M3 && found->block_scales == nullptr) {
    fail(checkpoint_.source(), "tensor '{}': F8_E4M3 needs block scales in '{}_scale_inv'", name,
         name);
  }
  if (!found) {
    if (need == Need::kOptional) return {};
    fail(checkpoint_.source(), "tensor '{}' {} is missing", name, shape.to_string());
  }
  if (found->shape == shape) return *found;
  // Stacks of matrices may come flattened: [experts * rows, columns].
  if (found->shape.elements() == shape.elements() && found->columns() == shape.last() &&
      found->block_scales == nullptr) {
    return found->reshaped(shape);
  }
  fail(checkpoint_.source(), "tensor '{}': expected shape {}, found {}", name, shape.to_string(),
       found->shape.to_string());
}

void WeightLoader::matrix(WeightName name, Tensor& t, const Shape& shape, Need need) {
  t = find(full_name(name), shape, need);
}

void WeightLoader::rotated(WeightName name, Tensor& t, const Shape& shape, int64_t) {
  t = find(full_name(name), shape, Need::kRequired);
}

void WeightLoader::router(WeightName name, Tensor& t, const Shape& shape) {
  t = decode_tensor(find(full_name(name), shape, Need::kRequired));
}

void WeightLoader::vector(WeightName name, Tensor& t, int64_t n, Need need) {
  const std::string full = full_name(name);
  // A vector that this kind of file does not have keeps what the model has set.
  if (full.empty()) return;
  t = find(full, {n}, need);
  if (t) t = decode_tensor(t);
}

void WeightLoader::stacked_experts(Experts& experts, int64_t count, int64_t inner, int64_t dim,
                                   const char* fused, const char* gate, const char* up,
                                   const char* down) {
  const auto name = [&](const char* n) { return full_name({n, n}); };
  const Tensor both = find(name(fused), {count, 2 * inner, dim}, Need::kOptional);
  const Tensor gates = both ? both : find(name(gate), {count, inner, dim}, Need::kRequired);
  const Tensor ups = both ? both : find(name(up), {count, inner, dim}, Need::kRequired);
  const Tensor downs = find(name(down), {count, dim, inner}, Need::kRequired);
  for (int64_t e = 0; e < count; ++e) {
    experts.gate.push_back(both ? both[e].slice_rows(0, inner) : gates[e]);
    experts.up.push_back(both ? both[e].slice_rows(inner, inner) : ups[e]);
    experts.down.push_back(downs[e]);
  }
}

void WeightLoader::experts(Experts& experts, int64_t count, int64_t inner, int64_t dim) {
  experts = {};
  if (checkpoint_.naming() == Naming::kGguf) {
    stacked_experts(experts, count, inner, dim, "ffn_gate_up_exps.weight", "ffn_gate_exps.weight",
                    "ffn_up_exps.weight", "ffn_down_exps.weight");
    return;
  }
  if (checkpoint_.find(full_hugging_face("experts.gate_up_proj"))) {
    stacked_experts(experts, count, inner, dim, "experts.gate_up_proj", "", "",
                    "experts.down_proj");
    return;
  }
  // Experts share their prepared activations, so that all must be of the first one's type.
  const auto add = [&](std::vector<Tensor>& all, const char* projection, const Shape& shape) {
    const std::string name =
        full_hugging_face(fmt::format("experts.{}.{}.weight", all.size(), projection));
    all.push_back(find(name, shape, Need::kRequired));
    if (all.back().type == all.front().type) return;
    fail(checkpoint_.source(), "tensor '{}': expected {}, as of expert 0, found {}", name,
         dtype_name(all.front().type), dtype_name(all.back().type));
  };
  for (int64_t e = 0; e < count; ++e) {
    add(experts.gate, "gate_proj", {inner, dim});
    add(experts.up, "up_proj", {inner, dim});
    add(experts.down, "down_proj", {dim, inner});
  }
}

void WeightLoader::latent_heads(LatentHeads& w, const LatentHeadsShape& s) {
  // A file that has both forms (some of early 2025) gives the combined one.
  matrix({"kv_b_proj.weight", "attn_kv_b.weight"}, w.kv_b, {s.heads * (s.nope + s.value), s.rank},
         checkpoint_.naming() == Naming::kGguf ? Need::kOptional : Need::kRequired);
  if (w.kv_b) return;
  matrix({"", "attn_k_b.weight"}, w.k_b, {s.heads, s.rank, s.nope}, Need::kRequired);
  matrix({"", "attn_v_b.weight"}, w.v_b, {s.heads, s.value, s.rank}, Need::kRequired);
}

void WeightLoader::require_all_used(int64_t layers) const {
  // Layers behind the decoder's own that are there for multi-token prediction.
  std::set<int64_t> predicting;
  for (const auto& [name, tensor] : checkpoint_.tensors()) {
    for (const char* part : {"nextn.", "eh_proj"}) {
      if (name.find(part) != std::string::npos) predicting.insert(layer_of(name));
    }
  }
  for (const auto& [name, tensor] : checkpoint_.tensors()) {
    const std::string& tensor_name = name;
    const bool companion = std::any_of(
        std::begin(kCompanions), std::end(kCompanions),
        [&](std::string_view part) { return tensor_name.find(part) != std::string::npos; });
    if (asked_.contains(name) || companion) continue;
    const int64_t layer = layer_of(name);
    if (layer >= layers) {
      if (predicting.contains(layer)) continue;
      fail(checkpoint_.source(), "tensor '{}': expected layers up to {}, as the configuration has",
           printable(name), layers - 1);
    }
    fail(checkpoint_.source(),
         "tensor '{}' {} is no part of this architecture as Minke computes it", printable(name),
         tensor.shape.to_string());
  }
}

}  // namespace minke
