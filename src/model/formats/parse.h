#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/json.h"
#include "model/formats/checkpoint.h"

namespace minke {

// The parsers behind the readers, over bytes that need not come from a file. For this folder and
// its fuzz targets.

struct FileView {
  std::span<const uint8_t> bytes;
  std::string name;                   // begins every error
  std::shared_ptr<const void> owner;  // what the tensors shall keep alive
};
FileView map_file(const std::filesystem::path& path);

// One GGUF file: its metadata into `metadata`, its tensors into `into`.
void parse_gguf(const FileView& file, Metadata& metadata, Checkpoint& into);

// The tensors of a safetensors file whose names `wanted` accepts. All entries are checked, wanted
// or not.
void parse_safetensors(const FileView& file, const std::function<bool(std::string_view)>& wanted,
                       Checkpoint& into);

// Sets `metadata` from a JSON object: each key as `prefix` and the path of keys to it, joined by
// dots. Nulls are left out. An object stands under its own key as a MetaObject, but for those of
// rope scaling, which a reader knows by their members alone.
void flatten_json(const JsonDocument& document, std::string_view prefix, Metadata& metadata);

// Checks what the metadata and the tensors of a Hugging Face folder say of each other: block scales
// of F8_E4M3 tensors.
void check_block_scales(const Checkpoint& checkpoint);

// The bytes [begin, end) of a file that a tensor takes.
struct Extent {
  uint64_t begin, end;
  std::string_view name;
};
// Throws Error that names two tensors of which one begins inside the other.
void check_overlaps(std::vector<Extent> extents, const std::string& file);

}  // namespace minke
