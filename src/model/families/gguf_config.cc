#include "model/families/gguf_config.h"

#include <map>

#include <fmt/core.h>

#include "base/core/error.h"
#include "model/families/gguf_tensors.h"
#include "model/families/rope_config.h"

namespace minke {
namespace {

// What happens to a value that a reader of the file would not get back.
enum class Lost { kRefused, kShown };

// Stores fields under their GGUF keys.
class GgufConfig : public ConfigVisitor {
 public:
  GgufConfig(Model& model, Metadata& metadata, Lost lost)
      : metadata_(metadata), prefix_(model.facts().gguf_architecture + "."), lost_(lost) {
    for (const TensorToWrite& t : gguf_tensors(model, DType::kF32)) {
      tensors_.emplace(t.name, t.shape);
    }
  }

  Naming naming() const override { return Naming::kGguf; }
  bool has(FieldName name) const override { return !name.gguf.empty(); }
  std::optional<Shape> tensor(std::string_view name) const override {
    const auto found = tensors_.find(name);
    return found == tensors_.end() ? std::nullopt : std::optional(found->second);
  }
  void integer(FieldName name, int64_t& value, int64_t low, int64_t high,
               std::optional<int64_t> fallback) override {
    bounded(name, value, low, high, fallback);
  }
  void number(FieldName name, double& value, double low, double high,
              std::optional<double> fallback) override {
    bounded(name, value, low, high, fallback);
  }
  void flag(FieldName name, bool& value, bool fallback) override {
    store<bool>(name, value, fallback);
  }
  void text(FieldName name, std::string& value, std::string_view fallback) override {
    store<std::string>(name, value, std::string(fallback));
  }
  void derived(std::string_view gguf, int64_t value) override {
    metadata_.set(prefix_ + std::string(gguf), value);
  }
  void rope(double& theta, RopeScaling& scaling, bool deepseek) override {
    list_rope(*this, theta, scaling, deepseek);
  }

 private:
  template <typename T>
  void bounded(FieldName name, T value, T low, T high, std::optional<T> fallback) {
    if (lost_ == Lost::kRefused && !(value >= low && value <= high)) {
      fail(metadata_.source(), "configuration field '{}': expected {} to {} for GGUF, found {}",
           name.gguf.empty() ? name.hugging_face : name.gguf, low, high, value);
    }
    store(name, value, fallback);
  }

  template <typename T>
  void store(FieldName name, const T& value, const std::optional<T>& fallback) {
    if (!name.gguf.empty()) {
      metadata_.set(prefix_ + std::string(name.gguf), value);
    } else if (lost_ == Lost::kShown) {
      metadata_.set(std::string(name.hugging_face), value);
    } else if (value != fallback) {
      fail(metadata_.source(),
           "configuration field '{}': expected {}, as GGUF has no key for it, found {}",
           name.hugging_face, fallback ? fmt::format("{}", *fallback) : "none", value);
    }
  }

  Metadata& metadata_;
  std::string prefix_;
  Lost lost_;
  std::map<std::string, Shape, std::less<>> tensors_;
};

Metadata listed(Model& model, const std::string& name, Lost lost) {
  Metadata metadata(name);
  metadata.set("general.architecture", model.facts().gguf_architecture);
  metadata.set("general.name", name);
  GgufConfig config(model, metadata, lost);
  model.visit_config(config);
  return metadata;
}

}  // namespace

Metadata gguf_metadata(Model& model, const std::string& name) {
  return listed(model, name, Lost::kRefused);
}

Metadata config_fields(Model& model, const std::string& name) {
  return listed(model, name, Lost::kShown);
}

}  // namespace minke
