#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "math/tensor/tensor.h"
#include "model/formats/metadata.h"

namespace minke {

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

}  // namespace minke
