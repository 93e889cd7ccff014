#pragma once

#include <string>

#include <nlohmann/json.hpp>
#include <toml++/toml.h>

namespace minke {

// TOML and JSON trees made of each other. `name` begins errors.

// Throws Error for what JSON has no value for: dates, numbers that are not finite.
nlohmann::json toml_to_json(const toml::node& node, const std::string& name);
// Throws Error for what TOML has no value for (null, integers over 63 bits), and for more than 32
// levels.
toml::table json_to_toml(const nlohmann::json& object, const std::string& name);

// What `node` is, for errors: "text \"big\"", "the number 3.5", "a list of 2", "a table".
std::string describe_toml(const toml::node& node);
// "recipe.toml: line 12"; the name alone for what was not read from a text.
std::string place_of(const toml::source_region& source, const std::string& name);
std::string place_of(const toml::node& node, const std::string& name);

}  // namespace minke
