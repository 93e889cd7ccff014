#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "math/tensor/tensor.h"
#include "model/formats/metadata.h"

namespace minke {

struct TokenizerSpec;  // text/tokenizer/tokenizer.h

// How a checkpoint names its tensors and configuration fields.
enum class Naming { kHuggingFace, kGguf };

// A model on disk, opened: metadata, and tensors as views into mapped files. Nothing is copied;
// every size and offset has been checked against the file when open_checkpoint returns.
class Checkpoint {
 public:
  Checkpoint(Naming naming, Metadata metadata) : naming_(naming), metadata_(std::move(metadata)) {}

  Naming naming() const { return naming_; }
  const Metadata& metadata() const { return metadata_; }
  Metadata& metadata() { return metadata_; }
  // The file or folder, as the user named it.
  const std::string& source() const { return metadata_.source(); }
  // The views as they lie in the files: not aligned, F8_E4M3 without scales. Tensors of types that
  // Minke does not compute are left out.
  const std::map<std::string, Tensor, std::less<>>& tensors() const { return tensors_; }

  // The tensor `name`, aligned to its element type (copied if it does not lie so in the file); an
  // F8_E4M3 one comes with the block scales of `name`_scale_inv, decoded to float32. Empty if
  // absent. GGUF shapes are returned outermost dimension first. Throws Error if the tensor is there
  // but cannot be used: a type that is not computed, an F8 tensor without the scales that
  // quantization_config promises.
  std::optional<Tensor> find(std::string_view name) const;

  // Whether the tensor is there, usable or not.
  bool has(std::string_view name) const;

  // Throws Error if the name is taken.
  void add(std::string name, Tensor tensor);
  // A tensor that is in the file but cannot be used; looking it up throws Error that ends in `why`.
  void add_unusable(std::string name, std::string why);
  // All that are there, usable or not.
  size_t tensor_count() const { return tensors_.size() + unusable_.size(); }

 private:
  void require_new(const std::string& name) const;

  Naming naming_;
  Metadata metadata_;
  std::map<std::string, Tensor, std::less<>> tensors_;
  std::map<std::string, std::string, std::less<>> unusable_;
};

// Opens a GGUF file (or the first of a sharded set), or a Hugging Face folder with config.json and
// model.safetensors or model.safetensors.index.json; a .safetensors file beside a config.json
// stands for its folder. Throws Error that names the file and what is wrong.
Checkpoint open_checkpoint(const std::filesystem::path& path);

// Readers and writers of the two formats. Writers go through AtomicFile, so that `path` is
// never half-written.
Checkpoint read_gguf(const std::filesystem::path& path);
Checkpoint read_hugging_face(const std::filesystem::path& folder);
void read_safetensors(const std::filesystem::path& file, Checkpoint& into);

// The tokenizer in a GGUF file's metadata (tokenizer.ggml.*). Throws Error if there is none, or it
// is not byte-level BPE.
TokenizerSpec read_gguf_tokenizer(const Checkpoint& checkpoint);

// A tensor to be written: `bytes` is called once, in order, when its bytes are due, and must give
// as many as the type and shape announce. Lets a writer produce files much larger than memory.
struct TensorToWrite {
  std::string name;
  DType type = DType::kF32;
  Shape shape;
  // Returns the bytes, which must stay valid until the next call.
  std::function<std::span<const uint8_t>()> bytes;
};
// Version 3, alignment 32. `metadata` values are written as bool, u32 (integers that fit; else i32,
// u64, i64), f32 and string; lists as they were in the GGUF file they come from, else of bool, i32
// (i64 where one does not fit), f32 and string. The keys that describe the source's own layout
// (general.alignment, split.*) are left out.
void write_gguf(const std::filesystem::path& path, const Metadata& metadata,
                const std::vector<TensorToWrite>& tensors);
// One file. `metadata` of texts only, for "__metadata__"; quantized types are refused. An F8_E4M3
// tensor's block scales are a tensor of their own, NAME_scale_inv, and the caller's to write.
void write_safetensors(const std::filesystem::path& path,
                       const std::map<std::string, std::string>& metadata,
                       const std::vector<TensorToWrite>& tensors);

}  // namespace minke
