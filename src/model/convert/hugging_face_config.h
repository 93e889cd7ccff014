#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "model/families/model.h"

namespace minke {

// The model's configuration as config.json states it, for a model whose own is not at hand (one of
// a GGUF file). `type`: of the matrices, F32, F16 or BF16. Throws Error if config.json cannot say
// what the model computes.
nlohmann::ordered_json hugging_face_config(Model& model, DType type);

// The class that transformers loads a model_type with: "DeepseekV3ForCausalLM". Empty for others
// than those of this program's families.
std::string_view transformers_class(std::string_view model_type);

// As torch calls it: "float32". Throws Error for other types than F32, F16 and BF16.
std::string torch_name(DType type);

}  // namespace minke
