#pragma once

#include <filesystem>
#include <string>

#include "learn/train/model_parameters.h"

namespace minke {

// Writes config.json and model.safetensors of a trained model, which transformers and Minke load.
// `config`: a JSON object, the model's fields; `type`: F32 or BF16, of the matrices (norms, routers
// and their biases stay F32). The folder is made if it is not there. Throws Error that names what
// cannot be written.
void write_model_folder(const std::string& config, ModelParameters& parameters, DType type,
                        const std::filesystem::path& folder);

}  // namespace minke
