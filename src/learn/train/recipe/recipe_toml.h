#pragma once

#include <string>

#include <nlohmann/json.hpp>
#include <toml++/toml.h>

namespace minke {

// A TOML tree as JSON. Throws Error for what JSON has no value for: dates, numbers that are not
// finite. `name` begins errors.
nlohmann::json toml_to_json(const toml::node& node, const std::string& name);

// What `node` is, for errors: "text \"big\"", "the number 3.5", "a list of 2", "a table".
std::string describe_toml(const toml::node& node);
// "recipe.toml: line 12"; the name alone for what was not read from a text.
std::string place_of(const toml::source_region& source, const std::string& name);
std::string place_of(const toml::node& node, const std::string& name);

}  // namespace minke
