#include "learn/train/lora.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include <nlohmann/json.hpp>

#include "base/core/atomic_file.h"
#include "base/core/error.h"
#include "base/core/rng.h"
#include "model/formats/write_checkpoint.h"

namespace minke {
namespace {

// The part of a weight's name that targets name: "q_proj" of "....self_attn.q_proj.weight".
std::string module_of(const std::string& name) {
  const size_t end = name.rfind('.');
  const size_t begin = name.rfind('.', end - 1);
  return name.substr(begin + 1, end - begin - 1);
}

Parameter new_parameter(const std::string& base, const char* part, const Shape& shape) {
  Parameter p;
  // PEFT's prefix, and the weight's name without ".weight".
  p.name = fmt::format("base_model.model.{}.{}.weight", base.substr(0, base.rfind('.')), part);
  p.role = ParameterRole::kMatrix;
  p.master = Tensor::zeros(DType::kF32, shape);
  p.gradient = Tensor::zeros(DType::kF32, shape);
  return p;
}

}  // namespace

LoraAdapter::LoraAdapter(ModelParameters& base, const LoraOptions& options, uint64_t seed)
    : base_(base), options_(options) {
  std::vector<std::string> missing = options.targets;
  const auto all = base.parameters();
  std::vector<bool> adapted(all.size(), false);
  Rng rng(seed);
  for (size_t i = 0; i < all.size(); ++i) {
    if (all[i].role != ParameterRole::kMatrix) continue;
    const std::string module = module_of(all[i].name);
    std::erase(missing, module);
    const auto& targets = options.targets;
    if (!targets.empty() && std::ranges::find(targets, module) == targets.end()) continue;
    adapted[i] = true;
    const int64_t out = all[i].master.rows(), in = all[i].master.columns();
    Parameter a = new_parameter(all[i].name, "lora_A", {options.rank, in});
    const double bound = 1 / std::sqrt(static_cast<double>(in));
    for (int64_t k = 0; k < options.rank * in; ++k) {
      a.master.f32()[k] = static_cast<float>(bound * (2 * rng.uniform() - 1));
    }
    adapted_.push_back({i, parameters_.size(), parameters_.size() + 1});
    parameters_.push_back(std::move(a));
    parameters_.push_back(new_parameter(all[i].name, "lora_B", {out, options.rank}));
  }
  if (!missing.empty()) {
    fail("lora.targets", "no matrix of this model is called '{}'", printable(missing.front()));
  }
  base.train_only(adapted);
}

void LoraAdapter::publish(ThreadPool& pool, const Kernels& kernels) {
  const int64_t rank = options_.rank;
  std::vector<std::vector<float>> memory(static_cast<size_t>(pool.size()));
  pool.parallel_for(static_cast<int64_t>(adapted_.size()), [&](int64_t i, int worker) {
    const Adapted& adapted = adapted_[static_cast<size_t>(i)];
    const Tensor& w = base_.parameters()[adapted.base].master;
    const Tensor& to = base_.computed(adapted.base);
    const int64_t n = w.columns();
    auto& sum = memory[static_cast<size_t>(worker)];
    sum.resize(static_cast<size_t>(n + rank));
    float* scaled = sum.data() + n;
    for (int64_t r = 0; r < w.rows(); ++r) {
      std::memcpy(sum.data(), w.f32() + r * n, static_cast<size_t>(n) * sizeof(float));
      for (int64_t k = 0; k < rank; ++k) {
        scaled[k] = scale() * parameters_[adapted.b].master.f32()[r * rank + k];
      }
      kernels.accumulate_f32(scaled, rank, 1, parameters_[adapted.a].master.f32(), n, rank, n,
                             sum.data(), n);
      base_.store_row(to, r, sum.data(), kernels);
    }
  });
}

void LoraAdapter::collect_gradients(ThreadPool& pool, const Kernels& kernels) {
  const int64_t rank = options_.rank;
  std::vector<std::vector<float>> memory(static_cast<size_t>(pool.size()));
  pool.parallel_for(static_cast<int64_t>(adapted_.size()), [&](int64_t i, int worker) {
    const Adapted& adapted = adapted_[static_cast<size_t>(i)];
    const Tensor& w_grad = base_.parameters()[adapted.base].gradient;
    Parameter& a = parameters_[adapted.a];
    Parameter& b = parameters_[adapted.b];
    const int64_t rows = w_grad.rows(), n = w_grad.columns();
    // dB = s dW A^T, dA = s B^T dW.
    kernels.dot_f32(a.master.f32(), n, rank, w_grad.f32(), n, rows, n, b.gradient.f32(), rank);
    kernels.scale(b.gradient.f32(), rows * rank, scale());
    auto& turned = memory[static_cast<size_t>(worker)];
    turned.resize(static_cast<size_t>(rank * rows));
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t k = 0; k < rank; ++k) {
        turned[static_cast<size_t>(k * rows + r)] = scale() * b.master.f32()[r * rank + k];
      }
    }
    std::memset(a.gradient.data, 0, static_cast<size_t>(a.gradient.bytes()));
    kernels.accumulate_f32(turned.data(), rows, rank, w_grad.f32(), n, rows, n, a.gradient.f32(),
                           n);
  });
}

void LoraAdapter::write(const std::filesystem::path& folder, const std::string& from) const {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) fail(folder.string(), "cannot make the folder: {}", error.message());
  std::vector<TensorToWrite> tensors;
  std::vector<std::string> modules;
  for (const Parameter& p : parameters_) {
    tensors.push_back({p.name, DType::kF32, p.master.shape, [&p] {
                         return std::span<const uint8_t>(p.master.data,
                                                         static_cast<size_t>(p.master.bytes()));
                       }});
  }
  for (const Adapted& adapted : adapted_) {
    const std::string module = module_of(base_.parameters()[adapted.base].name);
    if (std::ranges::find(modules, module) == modules.end()) modules.push_back(module);
  }
  write_safetensors(folder / "adapter_model.safetensors", {{"format", "pt"}}, tensors);
  const nlohmann::ordered_json config = {
      {"peft_type", "LORA"}, {"task_type", "CAUSAL_LM"},     {"base_model_name_or_path", from},
      {"r", options_.rank},  {"lora_alpha", options_.alpha}, {"lora_dropout", 0.0},
      {"bias", "none"},      {"fan_in_fan_out", false},      {"target_modules", modules}};
  AtomicFile file(folder / "adapter_config.json");
  file.write(config.dump(2) + "\n");
  file.commit();
}

}  // namespace minke
