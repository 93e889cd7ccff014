#include "apps/model_card.h"

#include <fstream>
#include <string_view>
#include <vector>

#include "base/core/utf8.h"

namespace minke {
namespace {

namespace fs = std::filesystem;

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

}  // namespace minke
