#pragma once

#include <filesystem>
#include <string>

#include "model/formats/metadata.h"

namespace minke {

// What a model's makers say of it, as Markdown in valid UTF-8 of at most kModelCardBytes: for a
// GGUF file NAME.md or README.md beside it, for a folder the README.md within, without the YAML
// that model hubs begin it with; otherwise the file's own general.description. "" if there is none
// that can be read: no model fails for want of its card.
inline constexpr size_t kModelCardBytes = size_t{256} << 10;
std::string model_card(const Metadata& metadata, const std::filesystem::path& path);

}  // namespace minke
