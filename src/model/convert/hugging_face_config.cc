#include "model/convert/hugging_face_config.h"

#include <cmath>

#include <fmt/core.h>

#include "base/core/error.h"
#include "model/convert/hugging_face_tensors.h"

namespace minke {
namespace {

using Json = nlohmann::ordered_json;

// What an architecture of transformers is called, by the model_type of its config.json.
struct Architecture {
  std::string_view model_type;
  std::string_view name;
};
constexpr Architecture kArchitectures[] = {
    {"deepseek_v2", "DeepseekV2ForCausalLM"},
    {"deepseek_v3", "DeepseekV3ForCausalLM"},
    {"llama", "LlamaForCausalLM"},
    {"qwen2", "Qwen2ForCausalLM"},
    {"qwen3", "Qwen3ForCausalLM"},
};

// GGUF files hold float32: the shortest decimal number that means the same one, 1e-06
// for 9.9999e-07.
double shortest(double value) {
  const auto single = static_cast<float>(value);
  return double{single} == value ? std::stod(fmt::format("{}", single)) : value;
}

// Stores fields under their names in config.json.
class HuggingFaceConfig : public ConfigVisitor {
 public:
  explicit HuggingFaceConfig(Json& json) : json_(json) {}

  Naming naming() const override { return Naming::kHuggingFace; }
  bool has(FieldName name) const override { return !name.hugging_face.empty(); }
  std::optional<Shape> tensor(std::string_view) const override { return std::nullopt; }
  void integer(FieldName name, int64_t& value, int64_t, int64_t, std::optional<int64_t>) override {
    store(name, value);
  }
  void number(FieldName name, double& value, double, double, std::optional<double>) override {
    store(name, shortest(value));
  }
  void flag(FieldName name, bool& value, bool) override { store(name, value); }
  void text(FieldName name, std::string& value, std::string_view) override { store(name, value); }
  void derived(std::string_view, int64_t) override {}
  void rope(double& theta, RopeScaling& s, bool deepseek) override {
    using Kind = RopeScaling::Kind;
    json_["rope_theta"] = shortest(theta);
    json_["rope_scaling"] = nullptr;
    if (s.kind == Kind::kNone) return;
    Json scaling = {{"type", "linear"}, {"rope_type", "linear"}, {"factor", shortest(s.factor)}};
    if (s.kind != Kind::kLinear) {
      scaling["original_max_position_embeddings"] = static_cast<int64_t>(s.original_context);
    }
    if (s.kind == Kind::kLlama3) {
      scaling["type"] = scaling["rope_type"] = "llama3";
      scaling["low_freq_factor"] = s.low_freq_factor;
      scaling["high_freq_factor"] = s.high_freq_factor;
    } else if (s.kind == Kind::kYarn) {
      scaling["type"] = scaling["rope_type"] = "yarn";
      scaling["beta_fast"] = shortest(s.beta_fast);
      scaling["beta_slow"] = shortest(s.beta_slow);
      if (deepseek) scaling["mscale"] = scaling["mscale_all_dim"] = shortest(s.mscale_all_dim);
      if (s.attention_factor > 0) scaling["attention_factor"] = shortest(s.attention_factor);
    }
    json_["rope_scaling"] = std::move(scaling);
  }

 private:
  template <typename T>
  void store(FieldName name, const T& value) {
    if (!name.hugging_face.empty()) json_[std::string(name.hugging_face)] = value;
  }

  Json& json_;
};

// Whether the file stores Llama 3's scaling as divisors of the frequencies.
class DivisorFinder : public WeightVisitor {
 public:
  void matrix(WeightName, Tensor&, const Shape&, Need) override {}
  void rotated(WeightName, Tensor&, const Shape&, int64_t) override {}
  void router(WeightName, Tensor&, const Shape&) override {}
  void vector(WeightName name, Tensor& t, int64_t, Need) override {
    found |= t && name.gguf == "rope_freqs.weight";
  }
  void experts(Experts&, int64_t, int64_t, int64_t) override {}
  void latent_heads(LatentHeads&, const LatentHeadsShape&) override {}

  bool found = false;
};

std::string model_type(const ModelFacts& facts, const Json& config) {
  if (facts.family != "deepseek") return facts.family;
  return config.value("scoring_func", "") == "sigmoid" ? "deepseek_v3" : "deepseek_v2";
}

}  // namespace

std::string_view transformers_class(std::string_view model_type) {
  for (const Architecture& a : kArchitectures) {
    if (a.model_type == model_type) return a.name;
  }
  return {};
}

std::string torch_name(DType type) {
  if (type == DType::kF32) return "float32";
  if (type == DType::kF16) return "float16";
  if (type == DType::kBF16) return "bfloat16";
  fail("type", "expected F32, F16 or BF16 for a Hugging Face folder, found {}", dtype_name(type));
}

Json hugging_face_config(Model& model, DType type) {
  const ModelFacts& facts = model.facts();
  Json fields;
  HuggingFaceConfig visitor(fields);
  model.visit_config(visitor);
  DivisorFinder divisors;
  model.visit(divisors);
  if (divisors.found && facts.gguf_source) {
    fail("rope_freqs.weight",
         "expected no such tensor: config.json has rope_scaling in its place, whose fields do not "
         "follow from it");
  }
  Json config;
  config["model_type"] = model_type(facts, fields);
  const std::string_view name = transformers_class(config["model_type"].get<std::string>());
  if (!name.empty()) config["architectures"] = Json::array({name});
  config["torch_dtype"] = torch_name(type);
  config["hidden_act"] = "silu";
  config["attention_bias"] = facts.family == "qwen2";
  config.update(fields);
  if (facts.family == "deepseek") {
    config["num_key_value_heads"] = config["num_attention_heads"];
    if (config["q_lora_rank"] == 0) config["q_lora_rank"] = nullptr;
  }
  bool head = false;
  for (const ListedTensor& t : list_hugging_face_tensors(model)) head |= t.name == "lm_head.weight";
  config["tie_word_embeddings"] = !head;
  return config;
}

}  // namespace minke
