#pragma once

#include <filesystem>
#include <span>
#include <string>

#include "learn/train/run_store.h"

namespace minke {

// XXH64 of a file's bytes, 16 hexadecimal digits. Throws Error if it cannot be read.
std::string file_hash(const std::filesystem::path& path);

// The files of one checkpoint, for run_store.cc.

inline constexpr const char* kWeightsFile = "weights.safetensors";
inline constexpr const char* kOptimizerFile = "optimizer.safetensors";

// Writes all of them into `folder`, which is there, the manifest last.
void write_checkpoint_files(const std::filesystem::path& folder, const RunState& state,
                            std::span<const Parameter> parameters, Optimizer& optimizer);
// Throws Error unless every file is there as the manifest says.
void verify_checkpoint_files(const std::filesystem::path& folder);
// Throws Error if state.json is not one.
RunState read_run_state(const std::filesystem::path& folder);

}  // namespace minke
