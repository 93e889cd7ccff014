#include "learn/train/model_folder.h"

#include <nlohmann/json.hpp>

#include "base/core/error.h"
#include "math/quant/quant.h"
#include "model/formats/atomic_file.h"
#include "model/formats/write_checkpoint.h"

namespace minke {
namespace {

// The class that transformers loads the model with.
std::string architecture_of(const std::string& model_type) {
  for (const auto& [type, architecture] : {std::pair{"deepseek_v2", "DeepseekV2ForCausalLM"},
                                           {"deepseek_v3", "DeepseekV3ForCausalLM"},
                                           {"llama", "LlamaForCausalLM"},
                                           {"qwen2", "Qwen2ForCausalLM"},
                                           {"qwen3", "Qwen3ForCausalLM"}}) {
    if (model_type == type) return architecture;
  }
  return {};
}

TensorToWrite to_write(const std::string& name, const Tensor& values, DType type) {
  TensorToWrite t{name, type, values.shape, {}};
  t.bytes = [values, type, encoded = Tensor()]() mutable {
    encoded = type == DType::kF32 ? values : encode_tensor(values, type);
    return std::span(encoded.data, static_cast<size_t>(encoded.bytes()));
  };
  return t;
}

}  // namespace

void write_model_folder(const std::string& config, ModelParameters& parameters, DType type,
                        const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) fail(folder.string(), "cannot make the folder: {}", error.message());

  std::vector<TensorToWrite> tensors;
  for (const Parameter& p : parameters.parameters()) {
    const bool rounded = p.role != ParameterRole::kVector && p.role != ParameterRole::kRouter;
    tensors.push_back(to_write(p.name, p.master, rounded ? type : DType::kF32));
  }
  for (const SelectionBias& b : parameters.selection_biases()) {
    tensors.push_back(to_write(b.name, b.values, DType::kF32));
  }
  write_safetensors(folder / "model.safetensors", {{"format", "pt"}}, tensors);

  auto json = nlohmann::ordered_json::parse(config);
  const std::string architecture = architecture_of(json.value("model_type", ""));
  if (!json.contains("architectures") && !architecture.empty()) {
    json["architectures"] = {architecture};
  }
  json.erase("quantization_config");  // of the weights that training began with
  json["torch_dtype"] = type == DType::kF32 ? "float32" : "bfloat16";
  AtomicFile file(folder / "config.json");
  file.write(json.dump(2) + "\n");
  file.commit();
}

}  // namespace minke
