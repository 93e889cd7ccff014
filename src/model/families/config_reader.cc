#include "model/families/config_reader.h"

#include "base/core/error.h"
#include "model/families/rope_config.h"

namespace minke {

ConfigReader::ConfigReader(const Checkpoint& checkpoint, std::string gguf_prefix)
    : checkpoint_(checkpoint), gguf_prefix_(std::move(gguf_prefix)) {}

std::string ConfigReader::key(FieldName name) const {
  if (naming() == Naming::kHuggingFace) return std::string(name.hugging_face);
  return name.gguf.empty() ? "" : gguf_prefix_ + std::string(name.gguf);
}

bool ConfigReader::has(FieldName name) const {
  const std::string k = key(name);
  return !k.empty() && checkpoint_.metadata().has(k);
}

std::optional<Shape> ConfigReader::tensor(std::string_view name) const {
  const auto found = checkpoint_.find(name);
  return found ? std::optional(found->shape) : std::nullopt;
}

void ConfigReader::integer(FieldName name, int64_t& value, int64_t low, int64_t high,
                           std::optional<int64_t> fallback) {
  const std::string k = key(name);
  const auto found = k.empty() ? std::nullopt : checkpoint_.metadata().integer(k);
  if (!found && !fallback) {
    fail(checkpoint_.source(), "configuration field '{}' is missing", k);
  }
  value = found ? *found : *fallback;
  if (value < low || value > high) {
    fail(checkpoint_.source(), "configuration field '{}': expected {} to {}, found {}", k, low,
         high, value);
  }
}

void ConfigReader::number(FieldName name, double& value, double low, double high,
                          std::optional<double> fallback) {
  const std::string k = key(name);
  const auto found = k.empty() ? std::nullopt : checkpoint_.metadata().number(k);
  if (!found && !fallback) {
    fail(checkpoint_.source(), "configuration field '{}' is missing", k);
  }
  value = found ? *found : *fallback;
  if (!(value >= low && value <= high)) {
    fail(checkpoint_.source(), "configuration field '{}': expected {} to {}, found {}", k, low,
         high, value);
  }
}

void ConfigReader::flag(FieldName name, bool& value, bool fallback) {
  const std::string k = key(name);
  const auto found = k.empty() ? std::nullopt : checkpoint_.metadata().flag(k);
  value = found.value_or(fallback);
}

void ConfigReader::text(FieldName name, std::string& value, std::string_view fallback) {
  const std::string k = key(name);
  const auto found = k.empty() ? std::nullopt : checkpoint_.metadata().text(k);
  value = found.value_or(std::string(fallback));
}

void ConfigReader::rope(double& theta, RopeScaling& scaling, bool deepseek) {
  read_rope(*this, checkpoint_.metadata(), theta, scaling, deepseek);
}

void ConfigReader::require_text(FieldName name, std::string_view expected) const {
  const std::string k = key(name);
  if (k.empty()) return;
  const auto found = checkpoint_.metadata().text(k);
  if (found && *found != expected) {
    fail(checkpoint_.source(), "configuration field '{}': only \"{}\" is supported, found \"{}\"",
         k, expected, printable(*found));
  }
}

void ConfigReader::require_flag(FieldName name, bool expected) const {
  const std::string k = key(name);
  if (k.empty()) return;
  const auto found = checkpoint_.metadata().flag(k);
  if (found && *found != expected) {
    fail(checkpoint_.source(), "configuration field '{}': only {} is supported, found {}", k,
         expected, *found);
  }
}

void ConfigReader::require_none(FieldName name, std::string_view what) const {
  const std::string k = key(name);
  const auto found = k.empty() ? std::nullopt : checkpoint_.metadata().integer(k);
  if (found && *found > 0) {
    fail(checkpoint_.source(), "configuration field '{}': {} are not supported, found {}", k, what,
         *found);
  }
}

}  // namespace minke
