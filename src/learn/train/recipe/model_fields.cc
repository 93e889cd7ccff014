#include "learn/train/recipe/model_fields.h"

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "base/core/error.h"
#include "model/families/config_visitor.h"

namespace minke {
namespace {

// What transformers and others read in config.json and no result depends on here, or what families
// check without listing it.
constexpr std::string_view kOfOthers[] = {"_name_or_path",
                                          "architectures",
                                          "attention_bias",
                                          "auto_map",
                                          "aux_loss_alpha",
                                          "bos_token_id",
                                          "chunk_size_feed_forward",
                                          "do_sample",
                                          "dtype",
                                          "eos_token_id",
                                          "ep_size",
                                          "head_dim",
                                          "hidden_act",
                                          "initializer_range",
                                          "is_encoder_decoder",
                                          "is_llama_config",
                                          "layer_types",
                                          "max_window_layers",
                                          "mlp_bias",
                                          "model_type",
                                          "num_key_value_heads",
                                          "output_attentions",
                                          "output_hidden_states",
                                          "output_router_logits",
                                          "pad_token_id",
                                          "pretraining_tp",
                                          "qk_head_dim",
                                          "quantization_config",
                                          "return_dict",
                                          "rope_interleave",
                                          "rope_interleaved",
                                          "seq_aux",
                                          "sliding_window",
                                          "torch_dtype",
                                          "transformers.js_config",
                                          "transformers_version",
                                          "unsloth_fixed",
                                          "use_cache",
                                          "use_mrope",
                                          "use_sliding_window"};

// Of rope_scaling and rope_parameters, whatever their type.
constexpr std::string_view kOfRope[] = {"type",
                                        "rope_type",
                                        "rope_theta",
                                        "factor",
                                        "original_max_position_embeddings",
                                        "low_freq_factor",
                                        "high_freq_factor",
                                        "beta_fast",
                                        "beta_slow",
                                        "mscale",
                                        "mscale_all_dim",
                                        "attention_factor",
                                        "attn_factor"};

// The names of a model's fields in config.json, those of nested objects by the object's name.
class FieldNames : public ConfigVisitor {
 public:
  Naming naming() const override { return Naming::kHuggingFace; }
  bool has(FieldName) const override { return true; }
  bool lists_all() const override { return true; }
  std::optional<Shape> tensor(std::string_view) const override { return std::nullopt; }
  void integer(FieldName name, int64_t&, int64_t, int64_t, std::optional<int64_t>) override {
    add(name.hugging_face);
  }
  void number(FieldName name, double&, double, double, std::optional<double>) override {
    add(name.hugging_face);
  }
  void flag(FieldName name, bool&, bool) override { add(name.hugging_face); }
  void text(FieldName name, std::string&, std::string_view) override { add(name.hugging_face); }
  void derived(std::string_view, int64_t) override {}
  void rope(double&, RopeScaling&, bool) override {
    for (const std::string_view name : {"rope_theta", "rope_scaling", "rope_parameters"}) add(name);
  }

  const std::set<std::string, std::less<>>& names() const { return names_; }

 private:
  void add(std::string_view name) {
    if (!name.empty()) names_.emplace(name);
  }

  std::set<std::string, std::less<>> names_;
};

}  // namespace

void check_model_fields(const ModelRecipe& recipe, Model& model) {
  if (recipe.config.empty()) return;
  FieldNames fields;
  model.visit_config(fields);
  const std::set<std::string_view> of_others(std::begin(kOfOthers), std::end(kOfOthers));
  const auto given = nlohmann::json::parse(recipe.config);
  std::vector<std::string> unknown;
  for (const auto& [name, value] : given.items()) {
    if (name == "attention_dropout") {
      if (value != 0) {
        fail(recipe.place, "attention_dropout: expected 0, found {}", value.dump());
      }
    } else if (!fields.names().contains(name) && !of_others.contains(name)) {
      unknown.push_back(printable(name));
    }
    if ((name != "rope_scaling" && name != "rope_parameters") || !value.is_object()) continue;
    for (const auto& [inner, ignored] : value.items()) {
      if (std::ranges::find(kOfRope, inner) == std::end(kOfRope)) {
        unknown.push_back(fmt::format("{}.{}", name, printable(inner)));
      }
    }
  }
  if (!unknown.empty()) {
    fail(recipe.place, "expected fields that this kind of model has ({}), found unknown names: {}",
         fmt::join(fields.names(), ", "), fmt::join(unknown, ", "));
  }
}

}  // namespace minke
