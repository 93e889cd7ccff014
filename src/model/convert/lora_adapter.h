#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>

#include "model/families/tensor_rows.h"

namespace minke {

// A LoRA adapter (Hu et al. 2021) as PEFT stores it: a folder with adapter_config.json and
// adapter_model.safetensors. A weight W becomes W + scale B A, in float32, where scale is
// lora_alpha / r, or lora_alpha / sqrt(r) with use_rslora.
class LoraAdapter : public WeightChanges {
 public:
  // Throws Error for adapters of another kind and for tensors that are no pair of factors.
  explicit LoraAdapter(const std::filesystem::path& folder);

  AddRow of(const std::string& name, const Shape& shape) const override;
  // Throws Error that names a pair which no weight of the model asked for.
  void require_all_used() const;
  size_t pairs() const { return pairs_.size(); }

 private:
  struct Pair {
    Tensor a, b;  // F32 [r, in] and [out, r]
  };

  void read_config(const std::filesystem::path& folder);
  void read_tensors(const std::filesystem::path& file);
  void check_targets(const std::filesystem::path& folder) const;

  int64_t rank_ = 0;
  float scale_ = 1;
  std::vector<std::string> targets_;   // names of modules; empty if they are given by a pattern
  std::string file_;                   // with the tensors, for errors
  std::map<std::string, Pair> pairs_;  // by the name of the weight
  mutable std::set<std::string> used_;
};

}  // namespace minke
