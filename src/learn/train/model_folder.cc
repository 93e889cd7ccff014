#include "learn/train/model_folder.h"

#include <nlohmann/json.hpp>

#include "base/core/atomic_file.h"
#include "base/core/error.h"
#include "math/quant/quant.h"
#include "model/convert/hugging_face_config.h"
#include "model/formats/write_checkpoint.h"

namespace minke {
namespace {

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
  const std::string_view name = transformers_class(json.value("model_type", ""));
  if (!json.contains("architectures") && !name.empty()) json["architectures"] = {name};
  json.erase("quantization_config");  // of the weights that training began with
  // transformers takes its absence for V3's own 1536, not for none.
  const std::string model_type = json.value("model_type", "");
  if (model_type.starts_with("deepseek") && !json.contains("q_lora_rank")) {
    json["q_lora_rank"] = nullptr;
  }
  json[json.contains("dtype") ? "dtype" : "torch_dtype"] = torch_name(type);
  AtomicFile file(folder / "config.json");
  file.write(json.dump(2) + "\n");
  file.commit();
}

}  // namespace minke
