#include "learn/train/recipe/recipe_reader.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/core/error.h"

namespace minke {
namespace {

std::string one_of(std::span<const std::string_view> names) {
  return fmt::format("one of {}", fmt::join(names, ", "));
}

}  // namespace

void RecipeReader::begin(std::string_view section) {
  section_ = section;
  sections_.insert(section);
  known_.clear();
  table_ = nullptr;
  const toml::node* node = root_.get(section);
  if (node == nullptr) return;
  table_ = node->as_table();
  if (table_ == nullptr) refuse(*node, prefix_ + section_, "a table");
}

void RecipeReader::end() {
  if (table_ != nullptr) refuse_unknown(*table_, known_, prefix_ + section_ + ".", "fields");
}

void RecipeReader::require_known_sections(std::set<std::string_view> allowed) const {
  allowed.insert(sections_.begin(), sections_.end());
  refuse_unknown(root_, allowed, prefix_, "sections");
}

void RecipeReader::refuse_unknown(const toml::table& table, const std::set<std::string_view>& known,
                                  const std::string& prefix, std::string_view kind) const {
  for (const auto& [key, value] : table) {
    if (known.contains(key.str())) continue;
    fail(place_of(key.source(), file_), "{}{}: expected one of the {} {}, found an unknown name",
         prefix, printable(key.str()), kind, fmt::join(known, ", "));
  }
}

void RecipeReader::refuse(const toml::node& node, const std::string& path,
                          const std::string& expected) const {
  fail(place_of(node, file_), "{}: expected {}, found {}", path, expected, describe_toml(node));
}

void RecipeReader::refuse(std::string_view section, std::string_view field,
                          std::string_view expected, std::string_view found) const {
  const toml::node* node = root_[section][field].node();
  if (node == nullptr && outer_ != nullptr) node = outer_->root_[section][field].node();
  if (node == nullptr) node = root_.get(section);
  fail(node == nullptr ? place_of(root_, file_) : place_of(*node, file_),
       "{}{}.{}: expected {}, found {}", prefix_, section, field, expected, found);
}

const toml::node* RecipeReader::find(std::string_view name) {
  known_.insert(name);
  return table_ == nullptr ? nullptr : table_->get(name);
}

int64_t RecipeReader::integer_of(const toml::node& node, const std::string& path, int64_t low,
                                 int64_t high) const {
  const auto* value = node.as_integer();
  if (value == nullptr || value->get() < low || value->get() > high) {
    refuse(node, path, fmt::format("a whole number from {} to {}", low, high));
  }
  return value->get();
}

double RecipeReader::number_of(const toml::node& node, const std::string& path, double low,
                               double high) const {
  const auto value = node.is_number() ? node.value<double>() : std::nullopt;
  if (!value || !(*value >= low && *value <= high)) {
    refuse(node, path, fmt::format("a number from {} to {}", low, high));
  }
  return *value;
}

std::string RecipeReader::text_of(const toml::node& node, const std::string& path) const {
  const auto* value = node.as_string();
  if (value == nullptr || value->get().empty()) refuse(node, path, "text");
  return value->get();
}

size_t RecipeReader::choice_of(const toml::node& node, const std::string& path,
                               std::span<const std::string_view> choices) const {
  const auto* value = node.as_string();
  const auto found =
      value == nullptr ? choices.end() : std::ranges::find(choices, std::string_view(value->get()));
  if (found == choices.end()) refuse(node, path, one_of(choices));
  return static_cast<size_t>(found - choices.begin());
}

const toml::array& RecipeReader::list_of(const toml::node& node, const std::string& path) const {
  const auto* list = node.as_array();
  if (list == nullptr) refuse(node, path, "a list");
  return *list;
}

std::array<int64_t, 2> RecipeReader::range_of(const toml::node& node, const std::string& path,
                                              int64_t low, int64_t high) const {
  const toml::array& list = list_of(node, path);
  if (list.size() != 2) refuse(node, path, "the lowest and the highest, as [1, 4]");
  const int64_t first = integer_of(list[0], path, low, high);
  return {first, integer_of(list[1], path, first, high)};
}

void RecipeReader::integer(const RecipeField& field, int64_t& value, int64_t low, int64_t high) {
  if (const auto* node = find(field.name)) value = integer_of(*node, path(field.name), low, high);
}

void RecipeReader::number(const RecipeField& field, double& value, double low, double high) {
  if (const auto* node = find(field.name)) value = number_of(*node, path(field.name), low, high);
}

void RecipeReader::flag(const RecipeField& field, bool& value) {
  const auto* node = find(field.name);
  if (node == nullptr) return;
  if (!node->is_boolean()) refuse(*node, path(field.name), "true or false");
  value = node->as_boolean()->get();
}

void RecipeReader::text(const RecipeField& field, std::string& value) {
  if (const auto* node = find(field.name)) value = text_of(*node, path(field.name));
}

void RecipeReader::choice(const RecipeField& field, int& value,
                          std::span<const std::string_view> choices) {
  const auto* node = find(field.name);
  if (node != nullptr) value = static_cast<int>(choice_of(*node, path(field.name), choices));
}

void RecipeReader::texts(const RecipeField& field, std::vector<std::string>& value,
                         std::span<const std::string_view> choices) {
  const auto* node = find(field.name);
  if (node == nullptr) return;
  value.clear();
  for (const toml::node& item : list_of(*node, path(field.name))) {
    value.push_back(text_of(item, path(field.name)));
    if (!choices.empty()) choice_of(item, path(field.name), choices);
    if (std::ranges::count(value, value.back()) > 1) {
      refuse(item, path(field.name), "each name once");
    }
  }
}

void RecipeReader::range(const RecipeField& field, std::array<int64_t, 2>& value, int64_t low,
                         int64_t high) {
  if (const auto* node = find(field.name)) value = range_of(*node, path(field.name), low, high);
}

void RecipeReader::pair(const RecipeField& field, double& first, double& second, double low,
                        double high) {
  const auto* node = find(field.name);
  if (node == nullptr) return;
  const toml::array& list = list_of(*node, path(field.name));
  if (list.size() != 2) refuse(*node, path(field.name), "two numbers");
  first = number_of(list[0], path(field.name), low, high);
  second = number_of(list[1], path(field.name), low, high);
}

TaskShare RecipeReader::task_of(const toml::node& node, const std::string& path) const {
  TaskShare task;
  const auto* table = node.as_table();
  if (table == nullptr) {
    task.name = text_of(node, path);
    return task;
  }
  refuse_unknown(*table, {"name", "weight", "levels"}, path + ".", "fields");
  const toml::node* name = table->get("name");
  if (name == nullptr) refuse(node, path, "a table with a name");
  task.name = text_of(*name, path + ".name");
  if (const auto* weight = table->get("weight")) {
    task.weight = number_of(*weight, path + ".weight", 0, kMostTaskWeight);
  }
  if (const auto* levels = table->get("levels")) {
    task.levels = range_of(*levels, path + ".levels", 1, kMostLevel);
  }
  return task;
}

void RecipeReader::tasks(const RecipeField& field, std::vector<TaskShare>& value) {
  const auto* node = find(field.name);
  if (node == nullptr) return;
  value.clear();
  double sum = 0;
  for (const toml::node& item : list_of(*node, path(field.name))) {
    value.push_back(task_of(item, path(field.name)));
    sum += value.back().weight;
  }
  if (!value.empty() && sum <= 0) refuse(*node, path(field.name), "a weight above 0");
}

void RecipeReader::others(const RecipeField&, std::string& json) {
  if (table_ == nullptr) return;
  nlohmann::json fields = nlohmann::json::object();
  for (const auto& [key, value] : *table_) {
    if (!known_.insert(key.str()).second) continue;
    fields[std::string(key.str())] = toml_to_json(value, file_);
  }
  if (!fields.empty()) json = fields.dump();
}

}  // namespace minke
