#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/cpu/thread_pool.h"
#include "math/tensor/dtype.h"

namespace minke {

struct Conversion {
  std::filesystem::path source;       // a GGUF file or a Hugging Face folder
  std::filesystem::path destination;  // NAME.gguf, else a Hugging Face folder
  std::string name;                   // of a model whose files do not name it
  // Of matrices. Without: each keeps its own, and what the destination cannot hold becomes BF16.
  std::optional<DType> type;
  std::optional<std::filesystem::path> adapter;  // a PEFT folder, merged
};

// What was written.
struct Converted {
  struct Total {
    int64_t tensors = 0, bytes = 0;
  };
  bool gguf = false;
  int64_t parameters = 0, bytes = 0;
  std::map<DType, Total> types;
  size_t merged = 0;               // matrices that the adapter changed
  std::vector<std::string> notes;  // what differs from what was asked for or from the source
};

// Whether `destination` names a GGUF file, by its ending.
bool is_gguf_name(const std::filesystem::path& destination);

// Writes the source model as the destination. Tensors are read, converted and written one by one;
// vectors and routers are written as F32. `progress` hears before each tensor how many bytes of how
// many are written; what it throws ends the writing. A GGUF file appears whole or not at all; a
// folder gets its config.json, without which it is no model, last. Throws Error if the source
// cannot be read, the destination's format cannot express it, or there is no room for it.
Converted convert(const Conversion& conversion, ThreadPool& pool,
                  const std::function<void(int64_t, int64_t)>& progress = {});

}  // namespace minke
