#include "model/convert/folder_files.h"

#include <algorithm>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/core/atomic_file.h"
#include "base/core/error.h"
#include "base/core/json.h"
#include "base/core/mapped_file.h"
#include "model/convert/hugging_face_config.h"
#include "model/formats/write_tokenizer.h"

namespace minke {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr std::pair<const char*, FolderPart> kCopied[] = {
    {"tokenizer.json", FolderPart::kTokenizer},
    {"tokenizer_config.json", FolderPart::kTokenizer},
    {"special_tokens_map.json", FolderPart::kTokenizer},
    {"added_tokens.json", FolderPart::kTokenizer},
    {"vocab.json", FolderPart::kTokenizer},
    {"merges.txt", FolderPart::kTokenizer},
    {"chat_template.jinja", FolderPart::kTokenizer},
    {"chat_template.json", FolderPart::kTokenizer},
    {"generation_config.json", FolderPart::kGeneration},
    {"configuration_deepseek.py", FolderPart::kCode},
    {"LICENSE", FolderPart::kLicense},
    {"LICENSE-MODEL", FolderPart::kLicense},
    {"LICENSE.txt", FolderPart::kLicense},
    {"README.md", FolderPart::kCard},
};

}  // namespace

void prepare_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directory(folder, error);
  if (error || !fs::is_directory(folder, error)) {
    fail(folder.string(), "cannot make the folder: {}",
         error ? error.message() : "there is a file of that name");
  }
  fs::remove(folder / "config.json", error);
  fs::remove(folder / "model.safetensors.index.json", error);
  for (const auto& [name, part] : kCopied) fs::remove(folder / name, error);
}

void write_text(const fs::path& path, std::string_view text) {
  AtomicFile file(path);
  file.write(text);
  file.commit();
}

std::string changed_config(const fs::path& source, DType type) {
  const fs::path path = source / "config.json";
  // Has been read by the checkpoint's reader, so that it is an object of bounded size and depth.
  Json config = Json::parse(read_text_file(path), nullptr, /*allow_exceptions=*/false);
  if (!config.is_object()) fail(path.string(), "expected a JSON object");
  config.erase("quantization_config");
  const char* key = config.contains("dtype") ? "dtype" : "torch_dtype";
  config[key] = torch_name(type);
  if (config.contains("num_nextn_predict_layers")) config["num_nextn_predict_layers"] = 0;
  return config.dump(2) + "\n";
}

void copy_folder_files(const fs::path& source, const fs::path& folder,
                       std::initializer_list<FolderPart> parts) {
  for (const auto& [name, part] : kCopied) {
    if (std::ranges::find(parts, part) == parts.end() || !fs::is_regular_file(source / name)) {
      continue;
    }
    write_text(folder / name, read_text_file(source / name));
  }
}

void copy_folder_files(const fs::path& source, const fs::path& folder) {
  using enum FolderPart;
  copy_folder_files(source, folder, {kTokenizer, kGeneration, kCode, kLicense, kCard});
}

void write_folder_tokenizer(const Bundle& bundle, const fs::path& folder, std::string& config,
                            std::vector<std::string>& notes) {
  notes.emplace_back(
      "generation_config.json: not written, GGUF files do not hold the publisher's sampling");
  if (bundle.tokenizer == nullptr) return;
  const TokenizerSpec& spec = bundle.tokenizer->spec();
  write_tokenizer(spec, folder);
  Json json = Json::parse(config);
  if (spec.bos) json["bos_token_id"] = *spec.bos;
  if (spec.eos) json["eos_token_id"] = *spec.eos;
  if (spec.pad) json["pad_token_id"] = *spec.pad;
  config = json.dump(2) + "\n";
  if (!spec.added.empty()) {
    notes.emplace_back(
        "tokenizer.json: all added tokens are looked for in the raw text, GGUF files do not tell "
        "those apart that are looked for in normalised text");
  }
}

}  // namespace minke
