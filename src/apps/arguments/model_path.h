#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace minke {

// The file or folder that the user means by MODEL: a path, or a name in `models`, the folder of
// models, with or without ".gguf". Throws Error that says where was looked.
std::filesystem::path find_model(const std::string& model,
                                 const std::optional<std::filesystem::path>& models);

// find_model() in the user's own folder of models.
std::filesystem::path find_model(const std::string& model);

}  // namespace minke
