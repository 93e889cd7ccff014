#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "model/formats/checkpoint.h"
#include "model/layers/rope_scaling.h"

namespace minke {

// What a configuration field is called: in config.json ("rope_scaling.factor" for nested ones), and
// in GGUF metadata, where the architecture's name and a dot come before it. An empty name: not in
// that kind of file.
struct FieldName {
  std::string_view hugging_face;
  std::string_view gguf;
};

// Sees every configuration field of a model once. A family lists its fields in one function;
// reading a file (config_reader.h) and writing one (gguf_config.h) are visitors.
class ConfigVisitor {
 public:
  virtual ~ConfigVisitor() = default;

  // The kind of file that is read or written.
  virtual Naming naming() const = 0;
  // Whether the file has the field; one that is written has all that its kind has a name for.
  virtual bool has(FieldName name) const = 0;
  // Whether all fields are wanted, those too that others' values make meaningless.
  virtual bool lists_all() const { return false; }
  // The shape of the file's tensor of this name; empty if it has none.
  virtual std::optional<Shape> tensor(std::string_view name) const = 0;

  // An integer in [low, high]. Absent: `fallback`; an Error if there is none.
  virtual void integer(FieldName name, int64_t& value, int64_t low, int64_t high,
                       std::optional<int64_t> fallback = {}) = 0;
  // A finite number in [low, high].
  virtual void number(FieldName name, double& value, double low, double high,
                      std::optional<double> fallback = {}) = 0;
  virtual void flag(FieldName name, bool& value, bool fallback) = 0;
  virtual void text(FieldName name, std::string& value, std::string_view fallback) = 0;

  // A GGUF field that follows from others and stands in files for other programs: written, not
  // read.
  virtual void derived(std::string_view gguf, int64_t value) = 0;
  // rope_theta, rope_scaling and their GGUF twins: which fields there are differs between reading
  // and writing. `deepseek`: YaRN's magnitude goes into the softmax (RopeScaling::mscale_all_dim).
  virtual void rope(double& theta, RopeScaling& scaling, bool deepseek) = 0;
};

}  // namespace minke
