#include "text/tokenizer/json_node.h"

#include "base/core/error.h"
#include "base/core/json.h"

namespace minke {
std::string_view JsonNode::place() const {
  return path_.empty() ? std::string_view("the document") : std::string_view(path_);
}

void JsonNode::expected(std::string_view what) const {
  fail(file_, "{}: expected {}, found {}", place(), what, describe_json(element_));
}

simdjson::dom::object JsonNode::object() const {
  simdjson::dom::object value;
  if (element_.get(value) != simdjson::SUCCESS) expected("an object");
  return value;
}

simdjson::dom::array JsonNode::array() const {
  simdjson::dom::array value;
  if (element_.get(value) != simdjson::SUCCESS) expected("an array");
  return value;
}

std::string_view JsonNode::string() const {
  std::string_view value;
  if (element_.get(value) != simdjson::SUCCESS) expected("a string");
  return value;
}

bool JsonNode::boolean() const {
  bool value = false;
  if (element_.get(value) != simdjson::SUCCESS) expected("true or false");
  return value;
}

int64_t JsonNode::integer() const {
  int64_t value = 0;
  if (element_.get(value) != simdjson::SUCCESS) expected("an integer");
  return value;
}

std::optional<JsonNode> JsonNode::get(std::string_view key) const {
  simdjson::dom::element value;
  if (object().at_key(key).get(value) != simdjson::SUCCESS || value.is_null()) return std::nullopt;
  return member(value, key);
}

JsonNode JsonNode::need(std::string_view key) const {
  const auto value = get(key);
  if (!value.has_value())
    fail(file_, "{}: expected a member \"{}\", found none", place(), printable(key));
  return *value;
}

JsonNode JsonNode::item(simdjson::dom::element element, size_t index) const {
  return {element, file_, fmt::format("{}[{}]", path_, index)};
}

JsonNode JsonNode::member(simdjson::dom::element element, std::string_view key) const {
  return {element, file_,
          path_.empty() ? printable(key) : fmt::format("{}.{}", path_, printable(key))};
}

bool JsonNode::boolean_or(std::string_view key, bool fallback) const {
  const auto value = get(key);
  return value.has_value() ? value->boolean() : fallback;
}

void JsonNode::refuse_true(std::string_view key) const {
  if (boolean_or(key, false)) need(key).expected("false");
}

void JsonNode::refuse_text(std::string_view key) const {
  const auto value = get(key);
  if (value.has_value() && !value->string().empty()) value->expected("null or \"\"");
}

}  // namespace minke
