#include <algorithm>
#include <string_view>
#include <vector>

#include <fmt/ranges.h>

#include "base/core/check.h"
#include "base/core/error.h"
#include "model/families/model.h"
#include "model/families/weight_loader.h"
#include "model/layers/expanded_heads.h"

namespace minke {
namespace {

struct Family {
  std::string_view hugging_face;  // config.json's model_type
  std::string_view gguf;          // general.architecture; "" if the name above has none of its own
  std::unique_ptr<Model> (*make)(const Checkpoint&);
};

constexpr Family kFamilies[] = {
    {"deepseek_v2", "deepseek2", make_deepseek},
    {"deepseek_v3", "deepseek2", make_deepseek},
    {"llama", "llama", make_llama},
    {"qwen2", "qwen2", make_qwen2},
    {"mimo", "", make_qwen2},
    {"qwen3", "qwen3", make_qwen3},
};

std::string supported(Naming naming) {
  std::vector<std::string_view> names;
  for (const Family& f : kFamilies) {
    const std::string_view name = naming == Naming::kGguf ? f.gguf : f.hugging_face;
    if (!name.empty() && std::find(names.begin(), names.end(), name) == names.end()) {
      names.push_back(name);
    }
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

class Counter : public WeightVisitor {
 public:
  void matrix(WeightName, Tensor& t, const Shape& shape, Need need) override {
    if (need == Need::kRequired || t) total += shape.elements();
  }
  void rotated(WeightName, Tensor&, const Shape& shape, int64_t) override {
    total += shape.elements();
  }
  void router(WeightName, Tensor&, const Shape& shape) override { total += shape.elements(); }
  void vector(WeightName, Tensor& t, int64_t n, Need need) override {
    if (need == Need::kRequired || t) total += n;
  }
  void experts(Experts&, int64_t count, int64_t inner, int64_t dim) override {
    total += 3 * count * inner * dim;
  }
  void latent_heads(LatentHeads&, const LatentHeadsShape& s) override {
    total += s.heads * (s.nope + s.value) * s.rank;
  }

  int64_t total = 0;
};

}  // namespace

KvLayout full_heads_layout(const ModelFacts& facts, DType type, const Kernels& kernels) {
  KvLayout layout = facts.kv.stored_as(type);
  const int64_t bytes = row_bytes(attention_type(kernels, type), facts.full_head_values);
  layout.extra_bytes = (bytes + 63) / 64 * 64;
  return layout;
}

Tensor Model::predict(Context&, const Batch&, const Tensor&) const {
  CHECK(false);
  return {};
}

std::unique_ptr<Model> make_model(const Checkpoint& checkpoint) {
  const bool gguf = checkpoint.naming() == Naming::kGguf;
  const char* key = gguf ? "general.architecture" : "model_type";
  const auto name = checkpoint.metadata().text(key);
  if (!name) fail(checkpoint.source(), "configuration field '{}' is missing", key);
  for (const Family& family : kFamilies) {
    if ((gguf ? family.gguf : family.hugging_face) == *name) return family.make(checkpoint);
  }
  fail(checkpoint.source(), "architecture '{}' is not supported; supported are: {}",
       printable(*name), supported(checkpoint.naming()));
}

std::unique_ptr<Model> load_model(const Checkpoint& checkpoint, bool prediction) {
  auto model = make_model(checkpoint);
  if (prediction) model->add_prediction();
  WeightLoader loader(checkpoint);
  model->visit(loader);
  loader.require_all_used(model->facts().layers);
  return model;
}

int64_t count_parameters(Model& model) {
  Counter counter;
  model.visit(counter);
  return counter.total;
}

}  // namespace minke
