#pragma once

#include <string>

#include "model/families/config_visitor.h"

namespace minke {

// Sets fields from a checkpoint's metadata. Errors name the file, the field, what was expected and
// what was found.
class ConfigReader : public ConfigVisitor {
 public:
  ConfigReader(const Checkpoint& checkpoint, std::string gguf_prefix);

  Naming naming() const override { return checkpoint_.naming(); }
  bool has(FieldName name) const override;
  std::optional<Shape> tensor(std::string_view name) const override;
  void integer(FieldName name, int64_t& value, int64_t low, int64_t high,
               std::optional<int64_t> fallback) override;
  void number(FieldName name, double& value, double low, double high,
              std::optional<double> fallback) override;
  void flag(FieldName name, bool& value, bool fallback) override;
  void text(FieldName name, std::string& value, std::string_view fallback) override;
  void derived(std::string_view, int64_t) override {}
  void rope(double& theta, RopeScaling& scaling, bool deepseek) override;

  // Throws Error if a field that would change the computation is there with another value than the
  // one computed with.
  void require_text(FieldName name, std::string_view expected) const;
  void require_flag(FieldName name, bool expected) const;
  // The same for a count that must be 0; `what` is what there would be some of.
  void require_none(FieldName name, std::string_view what) const;

 private:
  // The key under which the checkpoint would have the field; "" if its kind has no name for it.
  std::string key(FieldName name) const;

  const Checkpoint& checkpoint_;
  std::string gguf_prefix_;
};

}  // namespace minke
