#include "model/convert/lora_adapter.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include "base/core/error.h"
#include "math/quant/quant.h"
#include "model/formats/open_checkpoint.h"
#include "model/formats/parse.h"

namespace minke {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kMostRank = 1 << 16;
constexpr std::string_view kPrefix = "base_model.model.";
constexpr std::string_view kA = ".lora_A.weight", kB = ".lora_B.weight";

// Members that would change the sum if they are set.
constexpr const char* kUnsupportedFlags[] = {"use_dora", "fan_in_fan_out", "use_qalora"};
constexpr const char* kUnsupportedObjects[] = {"rank_pattern", "alpha_pattern"};

bool module_is(std::string_view module, std::string_view target) {
  if (!module.ends_with(target)) return false;
  const std::string_view before = module.substr(0, module.size() - target.size());
  return before.empty() || before.ends_with('.');
}

void require_plain_lora(const Metadata& config) {
  const std::string& where = config.source();
  const auto kind = config.text("peft_type");
  if (kind && *kind != "LORA") {
    fail(where, "peft_type: expected LORA, found \"{}\"", printable(*kind));
  }
  for (const char* name : kUnsupportedFlags) {
    if (config.flag(name).value_or(false)) fail(where, "{}: expected false, found true", name);
  }
  const auto bias = config.text("bias");
  if (bias && *bias != "none") fail(where, "bias: expected none, found \"{}\"", printable(*bias));
  for (const auto& [key, value] : config.values()) {
    for (const char* name : kUnsupportedObjects) {
      const auto* object = std::get_if<MetaObject>(&value);
      if (key == name && (object == nullptr || object->members > 0)) {
        fail(where, "{}: expected an empty object, found {}", name, describe(value));
      }
    }
  }
}

}  // namespace

LoraAdapter::LoraAdapter(const fs::path& folder) {
  read_config(folder);
  read_tensors(folder / "adapter_model.safetensors");
  check_targets(folder);
}

void LoraAdapter::read_config(const fs::path& folder) {
  const fs::path path = folder / "adapter_config.json";
  if (!fs::exists(path)) {
    fail(folder.string(), "expected a PEFT adapter with adapter_config.json, found none");
  }
  Metadata config(path.string());
  flatten_json(JsonDocument::read(path), "", config);
  require_plain_lora(config);
  rank_ = config.integer("r").value_or(0);
  if (rank_ < 1 || rank_ > kMostRank) {
    fail(path.string(), "r: expected 1 to {}, found {}", kMostRank,
         config.has("r") ? std::to_string(rank_) : "none");
  }
  const auto alpha = config.number("lora_alpha");
  if (!alpha) fail(path.string(), "lora_alpha: expected a number, found none");
  const auto rank = static_cast<double>(rank_);
  const bool root = config.flag("use_rslora").value_or(false);
  scale_ = static_cast<float>(*alpha / (root ? std::sqrt(rank) : rank));
  // A text is a pattern, or "all-linear".
  const auto targets = config.values().find("target_modules");
  if (targets == config.values().end()) fail(path.string(), "target_modules: found none");
  if (!std::holds_alternative<std::string>(targets->second)) {
    targets_ = config.texts("target_modules").value_or(std::vector<std::string>());
  }
}

void LoraAdapter::read_tensors(const fs::path& file) {
  file_ = file.string();
  if (!fs::exists(file)) fail(file_, "expected the adapter's tensors, found no such file");
  Checkpoint tensors(Naming::kHuggingFace, Metadata(file_));
  read_safetensors(file, tensors);
  for (const auto& [name, raw] : tensors.tensors()) {
    const bool is_a = name.ends_with(kA);
    if (!name.starts_with(kPrefix) || (!is_a && !name.ends_with(kB))) {
      fail(file_, "tensor '{}': expected {}NAME{} or ...{}", printable(name, 200), kPrefix, kA, kB);
    }
    const Tensor t = decode_tensor(*tensors.find(name));
    if (t.shape.rank() != 2 || t.shape[is_a ? 0 : 1] != rank_) {
      fail(file_, "tensor '{}': expected a factor of rank {}, found shape {}", printable(name, 200),
           rank_, t.shape.to_string());
    }
    const std::string module =
        name.substr(kPrefix.size(), name.size() - kPrefix.size() - kA.size());
    Pair& pair = pairs_[module + ".weight"];
    (is_a ? pair.a : pair.b) = t;
  }
  // What find() would throw about: tensors of types that are not computed.
  if (tensors.tensor_count() != tensors.tensors().size()) {
    fail(file_, "expected tensors of floating-point types, found others");
  }
  for (const auto& [name, pair] : pairs_) {
    if (pair.a && pair.b) continue;
    fail(file_, "weight '{}': expected lora_A and lora_B, found {} alone", printable(name, 200),
         pair.a ? "lora_A" : "lora_B");
  }
  if (pairs_.empty()) fail(file_, "expected at least one pair of factors, found none");
}

void LoraAdapter::check_targets(const fs::path& folder) const {
  if (targets_.empty()) return;
  const auto targeted = [](const auto& pair, const std::string& target) {
    const std::string_view name = pair.first;
    return module_is(name.substr(0, name.size() - std::string_view(".weight").size()), target);
  };
  for (const auto& pair : pairs_) {
    if (std::ranges::none_of(targets_, [&](const auto& t) { return targeted(pair, t); })) {
      fail(file_, "weight '{}': expected one of the target_modules of adapter_config.json",
           printable(pair.first, 200));
    }
  }
  for (const std::string& target : targets_) {
    if (std::ranges::none_of(pairs_, [&](const auto& pair) { return targeted(pair, target); })) {
      fail((folder / "adapter_config.json").string(),
           "target_modules: \"{}\" has no tensors in adapter_model.safetensors", printable(target));
    }
  }
}

WeightChanges::AddRow LoraAdapter::of(const std::string& name, const Shape& shape) const {
  const auto found = pairs_.find(name);
  if (found == pairs_.end()) return {};
  const Pair& pair = found->second;
  if (shape.rank() != 2 || pair.b.shape[0] != shape[0] || pair.a.shape[1] != shape[1]) {
    fail(file_, "weight '{}': expected factors of a matrix {}, found B {} and A {}",
         printable(name, 200), shape.to_string(), pair.b.shape.to_string(),
         pair.a.shape.to_string());
  }
  used_.insert(name);
  return [&pair, rank = rank_, scale = scale_](int64_t row, float* values) {
    const int64_t columns = pair.a.columns();
    const float* b = pair.b.f32() + row * rank;
    std::vector<float> sum(static_cast<size_t>(columns));
    for (int64_t k = 0; k < rank; ++k) {
      const float* a = pair.a.f32() + k * columns;
      for (int64_t c = 0; c < columns; ++c) sum[static_cast<size_t>(c)] += b[k] * a[c];
    }
    for (int64_t c = 0; c < columns; ++c) values[c] += scale * sum[static_cast<size_t>(c)];
  };
}

void LoraAdapter::require_all_used() const {
  for (const auto& [name, pair] : pairs_) {
    if (used_.contains(name)) continue;
    fail(file_, "weight '{}': expected a matrix of the model, which has none of that name",
         printable(name, 200));
  }
}

}  // namespace minke
