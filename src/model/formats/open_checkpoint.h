#pragma once

#include <filesystem>

#include "model/formats/checkpoint.h"

namespace minke {

// Opens a GGUF file (or the first of a sharded set), or a Hugging Face folder with config.json and
// model.safetensors or model.safetensors.index.json; a .safetensors file beside a config.json
// stands for its folder. Throws Error that names the file and what is wrong.
Checkpoint open_checkpoint(const std::filesystem::path& path);

// The readers behind it, for who knows the format.
Checkpoint read_gguf(const std::filesystem::path& path);
Checkpoint read_hugging_face(const std::filesystem::path& folder);
void read_safetensors(const std::filesystem::path& file, Checkpoint& into);

}  // namespace minke
