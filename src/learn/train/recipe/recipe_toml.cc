#include "learn/train/recipe/recipe_toml.h"

#include <cmath>
#include <limits>

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

toml::table table_of(const Json& object, const std::string& name, int levels);
toml::array array_of(const Json& list, const std::string& name, int levels);

// Calls put(value) with the TOML value of `json`.
template <typename Put>
void convert(const Json& json, const std::string& name, int levels, const Put& put) {
  if (json.is_object()) {
    put(table_of(json, name, levels));
  } else if (json.is_array()) {
    put(array_of(json, name, levels));
  } else if (json.is_string()) {
    put(json.get<std::string>());
  } else if (json.is_boolean()) {
    put(json.get<bool>());
  } else if (json.is_number_float()) {
    put(json.get<double>());
  } else if (json.is_number_integer() &&
             !(json.is_number_unsigned() &&
               json.get<uint64_t>() > std::numeric_limits<int64_t>::max())) {
    put(json.get<int64_t>());
  } else {
    fail(name, "expected text, a number, true or false, found {}", json.dump());
  }
}

toml::table table_of(const Json& object, const std::string& name, int levels) {
  if (levels > kMostLevels) refuse_depth(name);
  toml::table table;
  for (const auto& item : object.items()) {
    convert(item.value(), name, levels + 1,
            [&](auto&& value) { table.insert_or_assign(item.key(), std::move(value)); });
  }
  return table;
}

toml::array array_of(const Json& list, const std::string& name, int levels) {
  if (levels > kMostLevels) refuse_depth(name);
  toml::array array;
  for (const Json& item : list) {
    convert(item, name, levels + 1, [&](auto&& value) { array.push_back(std::move(value)); });
  }
  return array;
}

}  // namespace

Json toml_to_json(const toml::node& node, const std::string& name) {
  return to_json(node, name, 0);
}

toml::table json_to_toml(const Json& object, const std::string& name) {
  if (!object.is_object()) fail(name, "expected an object, found {}", object.type_name());
  return table_of(object, name, 0);
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
