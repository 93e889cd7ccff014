#include "learn/train/recipe/recipe_toml.h"

#include <cmath>

#include "base/core/error.h"

namespace minke {
namespace {

using Json = nlohmann::json;

constexpr int kMostLevels = 32;

[[noreturn]] void refuse_depth(const std::string& name) {
  fail(name, "expected at most {} levels of tables and lists, found more", kMostLevels);
}

Json to_json(const toml::node& node, const std::string& name, int levels) {
  if (levels > kMostLevels) refuse_depth(place_of(node, name));
  if (const auto* table = node.as_table()) {
    Json object = Json::object();
    for (const auto& [key, value] : *table) {
      object[std::string(key.str())] = to_json(value, name, levels + 1);
    }
    return object;
  }
  if (const auto* list = node.as_array()) {
    Json array = Json::array();
    for (const toml::node& item : *list) array.push_back(to_json(item, name, levels + 1));
    return array;
  }
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* number = node.as_integer()) return number->get();
  if (const auto* flag = node.as_boolean()) return flag->get();
  if (const auto* number = node.as_floating_point(); number && std::isfinite(number->get())) {
    return number->get();
  }
  fail(place_of(node, name), "expected text, a finite number, true or false, found {}",
       describe_toml(node));
}

}  // namespace

Json toml_to_json(const toml::node& node, const std::string& name) {
  return to_json(node, name, 0);
}

std::string describe_toml(const toml::node& node) {
  if (const auto* text = node.as_string()) return fmt::format("\"{}\"", printable(text->get()));
  if (const auto* number = node.as_integer()) return fmt::format("{}", number->get());
  if (const auto* number = node.as_floating_point()) return fmt::format("{}", number->get());
  if (const auto* flag = node.as_boolean()) return flag->get() ? "true" : "false";
  if (const auto* list = node.as_array()) return fmt::format("a list of {}", list->size());
  return node.is_table() ? "a table" : "a date or a time";
}

std::string place_of(const toml::node& node, const std::string& name) {
  return place_of(node.source(), name);
}

std::string place_of(const toml::source_region& source, const std::string& name) {
  const auto line = source.begin.line;
  return line == 0 ? name : fmt::format("{}: line {}", name, line);
}

}  // namespace minke
