#pragma once

#include <nlohmann/json.hpp>

#include "model/families/model.h"

namespace minke {

// The model's configuration as config.json states it, for a model whose own is not at hand (one of
// a GGUF file). `type`: of the matrices, F32, F16 or BF16. Throws Error if config.json cannot say
// what the model computes.
nlohmann::ordered_json hugging_face_config(Model& model, DType type);

// As torch calls it: "float32". Throws Error for other types than F32, F16 and BF16.
std::string torch_name(DType type);

}  // namespace minke
