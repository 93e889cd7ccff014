#include "apps/about.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <string_view>
#include <vector>

#include <fmt/core.h>

#include "base/core/error.h"
#include "base/core/utf8.h"

namespace minke {
namespace {

namespace fs = std::filesystem;

std::string_view main_type(const Checkpoint& checkpoint) {
  std::array<int64_t, kDTypeCount> bytes{};
  for (const auto& [name, tensor] : checkpoint.tensors()) {
    bytes[static_cast<size_t>(tensor.type)] += tensor.bytes();
  }
  const auto most = std::max_element(bytes.begin(), bytes.end());
  return dtype_name(static_cast<DType>(most - bytes.begin()));
}

std::vector<fs::path> card_files(const fs::path& path) {
  std::error_code none;
  if (fs::is_directory(path, none)) return {path / "README.md"};
  std::vector<fs::path> files;
  if (path.extension() == ".gguf") files.push_back(fs::path(path).replace_extension(".md"));
  files.push_back(path.parent_path() / "README.md");
  return files;
}

// The first kModelCardBytes of the file; "" if it is no regular file that can be read.
std::string beginning(const fs::path& path) {
  std::error_code none;
  if (!fs::is_regular_file(path, none)) return "";
  std::ifstream file(path, std::ios::binary);
  std::string text(kModelCardBytes, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(file.gcount()));
  return text;
}

// `text` from behind the YAML between two lines of "---", if it begins with that.
std::string_view without_front_matter(std::string_view text) {
  constexpr std::string_view kFence = "---\n";
  if (!text.starts_with(kFence)) return text;
  const size_t end = text.find("\n---\n");
  return end == std::string_view::npos ? text : text.substr(end + 1 + kFence.size());
}

// Within the limit again, although each invalid byte may have become three.
std::string shown(std::string_view text) {
  std::string valid = utf8_sanitized(text.substr(0, utf8_complete_prefix(text)));
  if (valid.size() > kModelCardBytes) {
    valid.resize(utf8_complete_prefix(std::string_view(valid).substr(0, kModelCardBytes)));
  }
  return valid;
}

bool has_words(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") != std::string_view::npos;
}

}  // namespace

std::string model_name(const std::filesystem::path& path) {
  const auto whole = std::filesystem::absolute(path).lexically_normal();
  const auto last = whole.has_filename() ? whole : whole.parent_path();
  return printable((last.extension() == ".gguf" ? last.stem() : last.filename()).string());
}

About about(const Bundle& bundle, const std::filesystem::path& path) {
  return {model_name(path), bundle.model->facts().family, std::string(main_type(bundle.checkpoint)),
          count_parameters(*bundle.model), bundle.weight_bytes()};
}

std::string model_card(const Metadata& metadata, const fs::path& path) {
  for (const fs::path& file : card_files(path)) {
    const std::string text = beginning(file);
    const std::string_view card = without_front_matter(text);
    if (has_words(card)) return shown(card);
  }
  const auto described = metadata.values().find("general.description");
  if (described == metadata.values().end()) return "";
  const auto* text = std::get_if<std::string>(&described->second);
  return text == nullptr ? "" : shown(std::string_view(*text).substr(0, kModelCardBytes));
}

std::string in_words(const About& a) {
  return fmt::format("{} ({}, {} parameters, {} {})", a.name, a.family, human_count(a.parameters),
                     human_bytes(a.bytes), a.type);
}

std::string human_bytes(int64_t bytes) {
  constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  auto value = static_cast<double>(bytes);
  size_t unit = 0;
  while (value >= 1024 && unit + 1 < std::size(kUnits)) {
    value /= 1024;
    ++unit;
  }
  return fmt::format("{:.{}f} {}", value, value < 10 && unit > 0 ? 1 : 0, kUnits[unit]);
}

std::string human_count(int64_t count) {
  if (count < 10'000) return fmt::format("{}", count);
  const auto value = static_cast<double>(count);
  if (count < 1'000'000) return fmt::format("{:.1f} k", value / 1e3);
  if (count < 1'000'000'000) return fmt::format("{:.1f} M", value / 1e6);
  return fmt::format("{:.1f} B", value / 1e9);
}

std::string human_number(double value) {
  if (!(std::fabs(value) < 1000)) return fmt::format("{:.0f}", value);
  return fmt::format("{:.3g}", value);
}

}  // namespace minke
