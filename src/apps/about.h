#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "model/families/bundle.h"

namespace minke {

// A loaded model in a few words.
struct About {
  std::string name;    // of its file or folder
  std::string family;  // "deepseek"
  std::string type;    // in which most of its bytes are stored
  int64_t parameters = 0;
  int64_t bytes = 0;
};
About about(const Bundle& bundle, const std::filesystem::path& path);

// What people call the model at `path`: its file, without ".gguf", or its folder. What files call
// themselves inside is often an experiment's label. Safe to print.
std::string model_name(const std::filesystem::path& path);

// What a model's makers say of it, as Markdown in valid UTF-8 of at most kModelCardBytes: for a
// GGUF file NAME.md or README.md beside it, for a folder the README.md within, without the YAML
// that model hubs begin it with; otherwise the file's own general.description. "" if there is none
// that can be read: no model fails for want of its card.
inline constexpr size_t kModelCardBytes = size_t{256} << 10;
std::string model_card(const Metadata& metadata, const std::filesystem::path& path);

// "SmolLM2-135M-Instruct (llama, 134.5 M parameters, 93 MiB Q4_1)"
std::string in_words(const About& about);

std::string human_bytes(int64_t bytes);  // "93 MiB", "1.5 GiB"
std::string human_count(int64_t count);  // "134.5 M", "15.7 B"
// Three significant digits, or all before the point: "0.0123", "12.3", "1234".
std::string human_number(double value);

}  // namespace minke
