#include "learn/train/recipe/model_fields.h"

#include <set>
#include <string>
#include <string_view>

#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "base/core/error.h"
#include "model/families/config_visitor.h"

namespace minke {
namespace {

// What transformers and others read in config.json and Minke computes the same without, or checks
// (families/*.cc) without listing.
constexpr std::string_view kOfOthers[] = {"_name_or_path",
                                          "architectures",
                                          "attention_bias",
                                          "attention_dropout",
                                          "auto_map",
                                          "aux_loss_alpha",
                                          "bos_token_id",
                                          "chunk_size_feed_forward",
                                          "dtype",
                                          "eos_token_id",
                                          "ep_size",
                                          "head_dim",
                                          "hidden_act",
                                          "initializer_range",
                                          "is_encoder_decoder",
                                          "max_window_layers",
                                          "mlp_bias",
                                          "model_type",
                                          "num_key_value_heads",
                                          "num_local_experts",
                                          "output_attentions",
                                          "output_hidden_states",
                                          "output_router_logits",
                                          "pad_token_id",
                                          "pretraining_tp",
                                          "qk_head_dim",
                                          "quantization_config",
                                          "return_dict",
                                          "rope_interleave",
                                          "seq_aux",
                                          "sliding_window",
                                          "torch_dtype",
                                          "transformers_version",
                                          "use_cache",
                                          "use_sliding_window"};

// The names of a model's fields in config.json, those of nested objects by the object's name.
class FieldNames : public ConfigVisitor {
 public:
  Naming naming() const override { return Naming::kHuggingFace; }
  bool has(FieldName) const override { return true; }
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
  for (const auto& [name, value] : given.items()) {
    if (fields.names().contains(name) || of_others.contains(name)) continue;
    fail(fmt::format("model.{}", printable(name)),
         "expected a field that this kind of model has ({}), found an unknown name",
         fmt::join(fields.names(), ", "));
  }
}

}  // namespace minke
