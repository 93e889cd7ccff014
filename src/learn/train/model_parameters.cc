#include "learn/train/model_parameters.h"

#include <cmath>
#include <cstring>

#include <fmt/core.h>

#include "base/core/check.h"
#include "base/core/error.h"
#include "base/core/rng.h"
#include "math/quant/quant.h"

namespace minke {
namespace {

constexpr double kDeviation = 0.02;

uint64_t name_hash(std::string_view name) {
  uint64_t hash = 0xcbf29ce484222325u;  // FNV-1a
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return hash;
}

}  // namespace

class ParameterCollector : public WeightVisitor {
 public:
  ParameterCollector(ModelParameters& to, DType type, bool apart)
      : to_(to), type_(type), apart_(apart) {}

  void matrix(WeightName name, Tensor& t, const Shape& shape, Need need) override {
    if (name.hugging_face.empty() || (!t && need == Need::kOptional)) return;
    const std::string full = full_hugging_face(name.hugging_face);
    auto role = ParameterRole::kMatrix;
    if (full.ends_with("embed_tokens.weight")) role = ParameterRole::kEmbedding;
    if (full.ends_with("lm_head.weight")) role = ParameterRole::kHead;
    add(full, role, t, shape, type_);
  }
  void rotated(WeightName name, Tensor& t, const Shape& shape, int64_t) override {
    matrix(name, t, shape, Need::kRequired);
  }
  void router(WeightName name, Tensor& t, const Shape& shape) override {
    add(full_hugging_face(name.hugging_face), ParameterRole::kRouter, t, shape, DType::kF32);
  }
  void vector(WeightName name, Tensor& t, int64_t n, Need need) override {
    if (name.hugging_face.empty() || (!t && need == Need::kOptional)) return;
    const std::string full = full_hugging_face(name.hugging_face);
    if (full.ends_with("e_score_correction_bias")) {
      t = t ? decode_tensor(t) : Tensor::zeros(DType::kF32, {n});
      to_.biases_.push_back({full, t});
      return;
    }
    add(full, ParameterRole::kVector, t, {n}, DType::kF32);
  }
  void experts(Experts& experts, int64_t count, int64_t inner, int64_t dim) override {
    for (auto* list : {&experts.gate, &experts.up, &experts.down}) {
      list->resize(static_cast<size_t>(count));
    }
    for (size_t e = 0; e < static_cast<size_t>(count); ++e) {
      const auto add_one = [&](const char* projection, Tensor& t, const Shape& shape) {
        add(full_hugging_face(fmt::format("experts.{}.{}.weight", e, projection)),
            ParameterRole::kMatrix, t, shape, type_);
      };
      add_one("gate_proj", experts.gate[e], {inner, dim});
      add_one("up_proj", experts.up[e], {inner, dim});
      add_one("down_proj", experts.down[e], {dim, inner});
    }
  }
  void latent_heads(LatentHeads& w, const LatentHeadsShape& s) override {
    if (!w.kv_b && w.k_b) {
      fail("attn_k_b.weight",
           "expected latent heads in one matrix, found two; a Hugging Face folder has one (minke "
           "convert makes it)");
    }
    matrix({"kv_b_proj.weight", ""}, w.kv_b, {s.heads * (s.nope + s.value), s.rank},
           Need::kRequired);
  }

 private:
  void add(const std::string& name, ParameterRole role, Tensor& t, const Shape& shape, DType type) {
    Parameter p;
    p.name = name;
    p.role = role;
    p.master = Tensor::zeros(DType::kF32, shape);
    if (t) {
      const Tensor decoded = decode_tensor(t);
      std::memcpy(p.master.data, decoded.data, static_cast<size_t>(p.master.bytes()));
    }
    p.gradient = Tensor::zeros(DType::kF32, shape);
    t = type == DType::kF32 && !apart_ ? p.master : Tensor::zeros(type, shape);
    to_.computed_.push_back(t);
    to_.parameters_.push_back(std::move(p));
  }

  ModelParameters& to_;
  DType type_;
  bool apart_;
};

ModelParameters::ModelParameters(Model& model, DType type, bool apart) {
  CHECK(type == DType::kF32 || type == DType::kBF16);
  ParameterCollector collector(*this, type, apart);
  model.visit(collector);
  trained_.assign(parameters_.size(), true);
}

int64_t ModelParameters::count() const {
  int64_t total = 0;
  for (const Parameter& p : parameters_) total += p.master.shape.elements();
  return total;
}

void ModelParameters::initialize(uint64_t seed, int64_t layers) {
  const double residual = kDeviation / std::sqrt(2.0 * static_cast<double>(layers));
  for (Parameter& p : parameters_) {
    const int64_t n = p.master.shape.elements();
    if (p.role == ParameterRole::kVector) {
      std::fill_n(p.master.f32(), n, p.name.ends_with(".bias") ? 0.0f : 1.0f);
      continue;
    }
    const bool adds = p.name.ends_with("o_proj.weight") || p.name.ends_with("down_proj.weight");
    Rng rng(seed ^ name_hash(p.name));
    for (int64_t i = 0; i < n; ++i) {
      p.master.f32()[i] = static_cast<float>((adds ? residual : kDeviation) * rng.normal());
    }
  }
  for (SelectionBias& b : biases_) std::fill_n(b.values.f32(), b.values.shape.elements(), 0.0f);
}

void ModelParameters::publish(ThreadPool& pool, const Kernels& kernels) {
  pool.parallel_for(static_cast<int64_t>(parameters_.size()), [&](int64_t i, int) {
    const Tensor& to = computed_[static_cast<size_t>(i)];
    const Tensor& from = parameters_[static_cast<size_t>(i)].master;
    if (to.data == from.data) return;
    for (int64_t r = 0; r < from.rows(); ++r) {
      store_row(to, r, from.f32() + r * from.columns(), kernels);
    }
  });
}

void ModelParameters::store_row(const Tensor& computed, int64_t row, const float* values,
                                const Kernels& kernels) {
  const int64_t n = computed.columns();
  if (computed.type == DType::kF32) {
    std::memcpy(computed.f32() + row * n, values, static_cast<size_t>(n) * sizeof(float));
  } else {
    kernels.round_bf16(values, n, reinterpret_cast<uint16_t*>(computed.data) + row * n);
  }
}

void ModelParameters::clear_gradients(ThreadPool& pool) {
  pool.parallel_for(static_cast<int64_t>(parameters_.size()), [&](int64_t i, int) {
    if (!trained_[static_cast<size_t>(i)]) return;
    const Tensor& g = parameters_[static_cast<size_t>(i)].gradient;
    std::memset(g.data, 0, static_cast<size_t>(g.bytes()));
  });
}

void ModelParameters::track(Tape& tape) const {
  for (size_t i = 0; i < parameters_.size(); ++i) {
    if (trained_[i]) tape.track(computed_[i], parameters_[i].gradient);
  }
}

}  // namespace minke
