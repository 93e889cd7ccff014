#include <map>
#include <set>

#include <fmt/format.h>

#include "base/core/error.h"
#include "base/core/mapped_file.h"
#include "math/quant/quant.h"
#include "model/formats/open_checkpoint.h"
#include "model/formats/parse.h"

namespace minke {
namespace {

namespace fs = std::filesystem;

// Real files have a few kB (configurations) and up to some 10 MB (indexes); parsing takes a
// multiple of that in memory.
constexpr uintmax_t kMaxConfigBytes = uintmax_t{4} << 20;
constexpr uintmax_t kMaxIndexBytes = uintmax_t{256} << 20;
// Rows and columns of F8_E4M3 values that share a scale.
constexpr int64_t kScaleBlock = 128;

JsonDocument read_json(const fs::path& path, uintmax_t max_bytes) {
  const auto file = MappedFile::open(path);
  const auto bytes = file->bytes();
  if (bytes.empty()) fail(path.string(), "expected a JSON object, found an empty file");
  if (bytes.size() > max_bytes) {
    fail(path.string(), "expected at most {} bytes, found {}", max_bytes, bytes.size());
  }
  return JsonDocument::parse({reinterpret_cast<const char*>(bytes.data()), bytes.size()},
                             path.string());
}

// Shard file -> names of the tensors to take from it. The views point into `index`.
using ShardMap = std::map<std::string_view, std::set<std::string_view>>;

ShardMap read_weight_map(const JsonDocument& index) {
  simdjson::dom::element entry;
  const bool there = index.root().at_key("weight_map").get(entry) == simdjson::SUCCESS;
  simdjson::dom::object weight_map;
  if (!there || entry.get(weight_map) != simdjson::SUCCESS) {
    fail(index.name(), "expected an object \"weight_map\", found {}",
         there ? describe_json(entry) : "none");
  }
  ShardMap shards;
  for (const auto& [name, value] : weight_map) {
    std::string_view shard;
    if (value.get(shard) != simdjson::SUCCESS || shard.empty() ||
        shard.find_first_of(std::string_view("/\\\0", 3)) != std::string_view::npos ||
        !shard.ends_with(".safetensors")) {
      fail(index.name(),
           "tensor '{}': expected the name of a .safetensors file of the same folder, "
           "found \"{}\"",
           printable(name), printable(shard));
    }
    if (!shards[shard].insert(name).second) {
      fail(index.name(), "tensor '{}' appears twice", printable(name));
    }
  }
  return shards;
}

void read_shards(const fs::path& folder, const fs::path& index_path, Checkpoint& into) {
  const JsonDocument index = read_json(index_path, kMaxIndexBytes);
  for (const auto& [shard, names] : read_weight_map(index)) {
    const FileView file = map_file(folder / shard);
    size_t found = into.tensor_count();
    parse_safetensors(
        file, [&](std::string_view name) { return names.contains(name); }, into);
    found = into.tensor_count() - found;
    if (found == names.size()) continue;
    for (const std::string_view name : names) {
      if (!into.has(name)) {
        fail(file.name, "expected tensor '{}', which {} places here, found none", printable(name),
             index_path.filename().string());
      }
    }
  }
}

[[noreturn]] void fail_without_weights(const fs::path& folder) {
  bool pytorch = false;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    const auto extension = entry.path().extension();
    pytorch |= extension == ".bin" || extension == ".pt" || extension == ".pth";
  }
  fail(folder.string(),
       "expected model.safetensors or model.safetensors.index.json beside config.json, found {}",
       pytorch ? "PyTorch pickles only, which Minke does not read; convert them to safetensors"
               : "neither");
}

// transformers loads no model whose quantization_config lacks a quant_method. One with members and
// without a method is let pass here: what they say of FP8 blocks is checked against the tensors.
void check_quantization_config(const Metadata& metadata) {
  const auto found = metadata.values().find("quantization_config");
  if (found != metadata.values().end()) {
    const auto* object = std::get_if<MetaObject>(&found->second);
    if (object == nullptr || object->members == 0) {
      fail(metadata.source(),
           "quantization_config: expected an object with a quant_method, found {}",
           describe(found->second));
    }
  }
  const auto size = metadata.integers("quantization_config.weight_block_size");
  if (!size || *size == std::vector<int64_t>{kScaleBlock, kScaleBlock}) return;
  fail(metadata.source(), "quantization_config.weight_block_size: expected [{}, {}], found [{}]",
       kScaleBlock, kScaleBlock, fmt::join(*size, ", "));
}

// The token ids that config.json and generation_config.json name are ids of the vocabulary. Padding
// alone may be -1, as old conversions of Llama write it for "none".
void check_token_ids(const Metadata& metadata) {
  const auto vocab = metadata.integer("vocab_size");
  for (const std::string prefix : {"", "generation."}) {
    for (const char* name : {"bos_token_id", "eos_token_id", "pad_token_id"}) {
      const std::string key = prefix + name;
      const auto ids = metadata.integers(key);
      if (!ids) continue;
      const int64_t least = name == std::string_view("pad_token_id") ? -1 : 0;
      for (const int64_t id : *ids) {
        if (id >= least && (!vocab || id < *vocab)) continue;
        fail(metadata.source(), "configuration field '{}': expected token ids {}, found {}", key,
             vocab ? fmt::format("from 0 to {}", *vocab - 1) : "of 0 or more", id);
      }
    }
  }
}

}  // namespace

void check_block_scales(const Checkpoint& checkpoint) {
  check_quantization_config(checkpoint.metadata());
  for (const auto& [name, t] : checkpoint.tensors()) {
    if (t.type != DType::kF8E4M3) continue;
    const std::string scale_name = name + "_scale_inv";
    const auto found = checkpoint.tensors().find(scale_name);
    if (found == checkpoint.tensors().end()) continue;  // find() says so if somebody asks
    const Tensor& scales = found->second;
    const std::string where =
        fmt::format("{}: tensor '{}'", checkpoint.source(), printable(scale_name, 120));
    if (scales.type != DType::kF32 && scales.type != DType::kBF16) {
      fail(where, "expected block scales of type F32 or BF16, found {}", dtype_name(scales.type));
    }
    const auto blocks = [](int64_t n) { return n / kScaleBlock + (n % kScaleBlock != 0); };
    if (t.shape.rank() != 2 || scales.shape != Shape{blocks(t.shape[0]), blocks(t.shape[1])}) {
      fail(where, "expected one scale for each {}x{} block of a matrix, found shape {} for {}",
           kScaleBlock, kScaleBlock, scales.shape.to_string(), t.shape.to_string());
    }
  }
}

Checkpoint read_hugging_face(const std::filesystem::path& folder) {
  const fs::path config = folder / "config.json";
  if (!fs::exists(config)) {
    fail(folder.string(), "expected a Hugging Face folder with config.json, found none");
  }
  Metadata metadata(folder.string());
  flatten_json(read_json(config, kMaxConfigBytes), "", metadata);
  const fs::path generation = folder / "generation_config.json";
  if (fs::exists(generation)) {
    flatten_json(read_json(generation, kMaxConfigBytes), "generation.", metadata);
  }
  check_token_ids(metadata);

  Checkpoint checkpoint(Naming::kHuggingFace, std::move(metadata));
  const fs::path single = folder / "model.safetensors";
  const fs::path index = folder / "model.safetensors.index.json";
  if (fs::exists(single)) {
    read_safetensors(single, checkpoint);
  } else if (fs::exists(index)) {
    read_shards(folder, index, checkpoint);
  } else {
    fail_without_weights(folder);
  }
  check_block_scales(checkpoint);
  return checkpoint;
}

}  // namespace minke
