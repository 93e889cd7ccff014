#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "math/tensor/tensor.h"
#include "model/formats/metadata.h"

namespace minke {

// Writers of the two formats. They go through AtomicFile, so that `path` is never half-written.

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
