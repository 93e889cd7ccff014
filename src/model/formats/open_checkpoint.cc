#include "model/formats/open_checkpoint.h"

#include <algorithm>
#include <cctype>

#include "base/core/error.h"
#include "base/core/mapped_file.h"

namespace minke {
namespace {

namespace fs = std::filesystem;

// The first bytes of a file, in lower case.
std::string opening(const MappedFile& file) {
  const auto bytes = file.bytes().first(std::min<size_t>(file.bytes().size(), 256));
  std::string text(bytes.begin(), bytes.end());
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

bool looks_like_text(std::string_view start) {
  return std::none_of(start.begin(), start.end(), [](unsigned char c) {
    return c == 0x7f || (c < 0x20 && c != '\n' && c != '\r' && c != '\t');
  });
}

// What a file that is no model most likely is, told by its first bytes.
std::string_view guess(std::string_view start) {
  if (start.empty()) return "an empty file";
  if (start.starts_with("version https://git-lfs")) {
    return "a Git LFS pointer; fetch the file itself with `git lfs pull`";
  }
  if (start.starts_with("<!doctype html") || start.starts_with("<html")) {
    return "a web page; the download did not give the model";
  }
  if (start.starts_with("pk\x03\x04") || start.starts_with("\x80\x02")) {
    return "a PyTorch pickle, which Minke does not read; convert it to safetensors";
  }
  if (start.starts_with("tjgg") || start.starts_with("fmgg") || start.starts_with("lmgg")) {
    return "a GGML file from before GGUF; convert it to GGUF";
  }
  if (start[0] == '{' || start[0] == '[') return "JSON text; give the folder that holds the model";
  return looks_like_text(start) ? "a text file" : "other bytes";
}

// A safetensors file begins with the length of its header and the brace that opens it.
bool looks_like_safetensors(const fs::path& path, std::string_view start) {
  return path.extension() == ".safetensors" || (start.size() > 8 && start[8] == '{');
}

}  // namespace

Checkpoint open_checkpoint(const std::filesystem::path& path) {
  const std::string name = path.string();
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (!fs::exists(status)) fail(name, "expected a model file or folder, found nothing there");
  if (fs::is_directory(status)) return read_hugging_face(path);
  // Opening a device can do something; a pipe is not opened before somebody writes.
  if (!fs::is_regular_file(status)) {
    fail(name, "expected a regular file or a folder, found {}", describe_file_type(status.type()));
  }

  const auto file = MappedFile::open(path);
  const std::string start = opening(*file);
  if (start.starts_with("gguf")) return read_gguf(path);
  if (!start.empty() && looks_like_safetensors(path, start)) {
    const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
    if (fs::exists(folder / "config.json")) return read_hugging_face(folder);
    fail(name,
         "a safetensors file holds weights only; expected config.json beside it, found none in {}",
         folder.string());
  }
  fail(name, "expected a GGUF file or a Hugging Face folder, found {}", guess(start));
}

}  // namespace minke
