#include "learn/train/run_inputs.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>
#include <xxhash.h>

#include "base/core/error.h"
#include "learn/data/shards.h"
#include "learn/train/checkpoint_files.h"

namespace minke {
namespace {

namespace fs = std::filesystem;

// One hash of the files' names and bytes.
std::string hash_of(const std::vector<fs::path>& files) {
  std::string all;
  for (const fs::path& file : files) {
    all += fmt::format("{} {}\n", file.filename().string(), file_hash(file));
  }
  return fmt::format("{:016x}", XXH64(all.data(), all.size(), 0));
}

// What read_tokenizer_json() reads.
std::vector<fs::path> tokenizer_files(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const char* name : {"tokenizer.json", "tokenizer_config.json", "chat_template.jinja"}) {
    if (fs::exists(folder / name)) files.push_back(folder / name);
  }
  return files;
}

std::vector<fs::path> model_files(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().extension() == ".safetensors") files.push_back(entry.path());
  }
  if (error) fail(folder.string(), "cannot read the folder: {}", error.message());
  std::ranges::sort(files);
  files.push_back(folder / "config.json");
  return files;
}

}  // namespace

fs::path tokenizer_folder(const Recipe& recipe) {
  const fs::path path = recipe.tokenizer.empty() ? recipe.model.from : recipe.tokenizer;
  if (fs::is_directory(path)) return path;
  if (path.filename() != "tokenizer.json" || !fs::exists(path)) {
    fail(path.string(),
         "{}: expected tokenizer.json or a folder with one (minke data tokenizer makes it), found "
         "{}",
         recipe.tokenizer.empty() ? "model.from" : "tokenizer.path",
         fs::exists(path) ? "another file" : "nothing there");
  }
  return path.has_parent_path() ? path.parent_path() : ".";
}

std::map<std::string, std::string> run_inputs(const Recipe& recipe) {
  const fs::path folder = tokenizer_folder(recipe);
  std::map<std::string, std::string> inputs;
  inputs["the tokenizer in " + folder.string()] = hash_of(tokenizer_files(folder));
  if (const std::string& from = recipe.model.from; !from.empty()) {
    inputs["the model in " + from] = hash_of(model_files(from));
  }
  for (const Stage& stage : recipe.stages) {
    for (const auto* paths : {&stage.data.shards, &stage.data.held_out}) {
      for (const std::string& path : *paths) {
        inputs["the shard " + path] = fmt::format("{:016x}", shard_checksum(path));
      }
    }
  }
  return inputs;
}

void require_same_inputs(const std::map<std::string, std::string>& began,
                         const std::map<std::string, std::string>& found) {
  for (const auto& [name, hash] : began) {
    const auto same = found.find(name);
    if (same == found.end() || same->second == hash) continue;
    fail(name, "expected what this run began with (XXH64 {}), found another ({})", hash,
         same->second);
  }
}

}  // namespace minke
