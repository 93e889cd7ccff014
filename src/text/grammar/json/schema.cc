#include "text/grammar/json/schema.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/core/check.h"
#include "base/core/error.h"
#include "text/grammar/json/pointer.h"
#include "text/grammar/json/string.h"
#include "text/grammar/regex.h"

namespace minke {
namespace {

namespace dom = simdjson::dom;

std::string_view text_of(dom::element value, const std::string& place) {
  if (!value.is_string()) fail(place, "expected a string, found {}", describe_json(value));
  return value.get_string().value_unsafe();
}

bool boolean_of(dom::element value, const std::string& place) {
  if (!value.is_bool()) fail(place, "expected true or false, found {}", describe_json(value));
  return value.get_bool().value_unsafe();
}

dom::array array_of(dom::element value, const std::string& place) {
  if (!value.is_array()) fail(place, "expected an array, found {}", describe_json(value));
  return value.get_array().value_unsafe();
}

dom::object object_of(dom::element value, const std::string& place) {
  if (!value.is_object()) fail(place, "expected an object, found {}", describe_json(value));
  return value.get_object().value_unsafe();
}

Decimal decimal_of(dom::element value, const std::string& place) {
  std::optional<Decimal> number = Decimal::of(value);
  if (!number) {
    fail(place, "expected a number that 64 bits hold exactly, found {}", describe_json(value));
  }
  return *std::move(number);
}

// A count: a natural number, also one written as 2.0. More than 18 digits are cut down.
int64_t count_of(dom::element value, const std::string& place) {
  const Decimal number = decimal_of(value, place);
  if (number.negative || !number.is_integer()) {
    fail(place, "expected a natural number, found {}", describe_json(value));
  }
  constexpr int64_t kMost = 999'999'999'999'999'999;
  return number.whole.size() > 18 ? kMost : std::stoll(number.whole);
}

unsigned type_named(std::string_view name, const std::string& place) {
  constexpr std::pair<std::string_view, unsigned> kTypes[] = {{"null", kNull},
                                                              {"boolean", kBoolean},
                                                              {"integer", kInteger},
                                                              {"string", kString},
                                                              {"number", kInteger | kFraction},
                                                              {"array", kArray},
                                                              {"object", kObject}};
  for (const auto& [known, types] : kTypes) {
    if (known == name) return types;
  }
  fail(place, "expected the name of a JSON type, found \"{}\"", printable(name));
}

}  // namespace

bool SchemaNode::says_of_objects() const {
  return !properties.empty() || !pattern_properties.empty() || additional != kNone ||
         property_names != kNone || !required.empty() || min_properties > 0 ||
         max_properties != kNone;
}

bool SchemaNode::says_of_arrays() const {
  return !prefix_items.empty() || items != kNone || min_items > 0 || max_items != kNone;
}

bool SchemaNode::is_true() const {
  return types == kAllTypes && values.empty() && all_of.empty() && choices.empty() &&
         ranges.empty() && min_length == 0 && max_length == kNone && patterns.empty() &&
         !says_of_arrays() && !says_of_objects();
}

JsonSchema::JsonSchema(std::string_view text, Budget& budget)
    : budget_(budget), document_(JsonDocument::parse(text, "schema")) {
  add("", document_.root());
}

std::string JsonSchema::place(int id) const {
  return schema_place(nodes_[static_cast<size_t>(id)].pointer);
}

const SchemaNode& JsonSchema::node(int id) {
  if (!nodes_[static_cast<size_t>(id)].parsed) parse(id);
  return nodes_[static_cast<size_t>(id)];
}

int JsonSchema::add(std::string pointer, dom::element element) {
  const auto id = static_cast<int>(nodes_.size());
  const auto [it, added] = by_pointer_.try_emplace(std::move(pointer), id);
  if (!added) return it->second;
  budget_.check_states(nodes_.size() + 1);
  SchemaNode& node = nodes_.emplace_back();
  node.element = element;
  node.pointer = it->first;
  return id;
}

int JsonSchema::child(const SchemaNode& node, std::string_view key, dom::element value) {
  budget_.spend(static_cast<int64_t>(node.pointer.size()));
  return add(node.pointer + "/" + pointer_escaped(key), value);
}

std::vector<int> JsonSchema::children(const SchemaNode& node, std::string_view key,
                                      dom::element value) {
  std::vector<int> out;
  const std::string prefix = std::string(key) + "/";
  for (const dom::element element : array_of(value, budget_.place())) {
    budget_.spend(static_cast<int64_t>(node.pointer.size()));
    out.push_back(add(fmt::format("{}/{}{}", node.pointer, prefix, out.size()), element));
  }
  if (out.empty()) fail(budget_.place(), "expected at least one schema, found none");
  return out;
}

void JsonSchema::parse(int id) {
  SchemaNode& node = nodes_[static_cast<size_t>(id)];
  node.parsed = true;
  const std::string place = this->place(id);
  budget_.set_place(place);
  if (node.element.is_bool()) {
    if (!node.element.get_bool().value_unsafe()) node.types = kNoType;
    return;
  }
  if (!node.element.is_object()) {
    fail(place, "expected a schema, which is an object or a boolean, found {}",
         describe_json(node.element));
  }
  std::vector<std::string_view> seen;
  for (const auto [key, value] : object_of(node.element, place)) {
    budget_.set_place(fmt::format("{}.{}", place, printable(key)));
    if (std::find(seen.begin(), seen.end(), key) != seen.end()) {
      fail(budget_.place(), "expected each keyword once, found it twice");
    }
    seen.push_back(key);
    const bool known = parse_annotation(node, key, value) || parse_general(node, key, value) ||
                       parse_number(node, key, value) || parse_string(node, key, value) ||
                       parse_array(node, key, value) || parse_object(node, key, value);
    if (!known) fail(budget_.place(), "expected a supported keyword, found one that is not");
  }
}

bool JsonSchema::parse_annotation(SchemaNode& node, std::string_view key, dom::element value) {
  constexpr std::string_view kAnnotations[] = {"title",      "description", "default",
                                               "examples",   "$schema",     "$comment",
                                               "deprecated", "readOnly",    "writeOnly"};
  if (std::find(std::begin(kAnnotations), std::end(kAnnotations), key) != std::end(kAnnotations)) {
    return true;
  }
  // Read where a reference leads to them.
  if (key == "$defs" || key == "definitions") {
    object_of(value, budget_.place());
    return true;
  }
  if (key != "$id") return false;
  text_of(value, budget_.place());
  if (!node.pointer.empty()) {
    fail(budget_.place(),
         "expected $id at the root alone, found one inside, which moves references");
  }
  return true;
}

bool JsonSchema::parse_general(SchemaNode& node, std::string_view key, dom::element value) {
  const std::string& place = budget_.place();
  if (key == "type") {
    if (value.is_array()) {
      node.types = kNoType;
      for (const dom::element name : array_of(value, place)) {
        node.types |= type_named(text_of(name, place), place);
      }
    } else {
      node.types = type_named(text_of(value, place), place);
    }
  } else if (key == "enum") {
    const dom::array values = array_of(value, place);
    node.values.emplace_back(values.begin(), values.end());
  } else if (key == "const") {
    node.values.push_back({value});
  } else if (key == "$ref") {
    node.all_of.push_back(resolve(value));
  } else if (key == "allOf") {
    for (const int part : children(node, key, value)) node.all_of.push_back(part);
  } else if (key == "anyOf" || key == "oneOf") {
    node.choices.push_back({children(node, key, value), key == "oneOf"});
  } else if (key == "not") {
    parse_not(node, value);
  } else {
    return false;
  }
  return true;
}

// What is decided at once: not true, not false.
void JsonSchema::parse_not(SchemaNode& node, dom::element value) {
  const bool empty = value.is_object() && object_of(value, budget_.place()).size() == 0;
  if (empty || (value.is_bool() && value.get_bool().value_unsafe())) {
    node.all_of.push_back(add(node.pointer + "/not/not", {}));
    SchemaNode& never = nodes_[static_cast<size_t>(node.all_of.back())];
    never.parsed = true;
    never.types = kNoType;
  } else if (!value.is_bool()) {
    fail(budget_.place(), "expected a boolean or {{}}, found a schema (negation is not supported)");
  }
}

bool JsonSchema::parse_number(SchemaNode& node, std::string_view key, dom::element value) {
  constexpr std::string_view kKeys[] = {"minimum", "maximum", "exclusiveMinimum",
                                        "exclusiveMaximum", "multipleOf"};
  if (std::find(std::begin(kKeys), std::end(kKeys), key) == std::end(kKeys)) return false;
  Decimal number = decimal_of(value, budget_.place());
  NumberRange range;
  range.min_excluded = key == "exclusiveMinimum";
  range.max_excluded = key == "exclusiveMaximum";
  if (key == "multipleOf") {
    if (number.negative || number.is_zero()) {
      fail(budget_.place(), "expected a number above 0, found {}", describe_json(value));
    }
    range.multiple_of = std::move(number);
  } else if (key == "minimum" || range.min_excluded) {
    range.min = std::move(number);
  } else {
    range.max = std::move(number);
  }
  node.ranges.push_back(std::move(range));
  return true;
}

bool JsonSchema::parse_string(SchemaNode& node, std::string_view key, dom::element value) {
  const std::string& place = budget_.place();
  if (key == "minLength") {
    node.min_length = count_of(value, place);
  } else if (key == "maxLength") {
    node.max_length = count_of(value, place);
  } else if (key == "pattern") {
    node.patterns.push_back({"pattern", std::string(text_of(value, place))});
  } else if (key == "format") {
    const std::string_view name = text_of(value, place);
    const auto pattern = format_pattern(name);
    if (!pattern) fail(place, "expected a supported format, found \"{}\"", printable(name));
    node.patterns.push_back({"format", std::string(*pattern)});
  } else {
    return false;
  }
  return true;
}

bool JsonSchema::parse_array(SchemaNode& node, std::string_view key, dom::element value) {
  const std::string& place = budget_.place();
  if (key == "prefixItems") {
    node.prefix_items = children(node, key, value);
  } else if (key == "items") {
    node.items = child(node, key, value);
  } else if (key == "minItems") {
    node.min_items = count_of(value, place);
  } else if (key == "maxItems") {
    node.max_items = count_of(value, place);
  } else if (key == "uniqueItems") {
    if (boolean_of(value, place)) {
      fail(place, "expected false, found true (items that differ are not supported)");
    }
  } else {
    return false;
  }
  return true;
}

bool JsonSchema::parse_object(SchemaNode& node, std::string_view key, dom::element value) {
  const std::string place = budget_.place();
  if (key == "properties") {
    std::map<std::string_view, bool> seen;
    for (const auto [name, schema] : object_of(value, place)) {
      if (!seen.emplace(name, true).second) {
        fail(place, "expected each name once, found \"{}\" twice", printable(name));
      }
      const int id =
          add(fmt::format("{}/properties/{}", node.pointer, pointer_escaped(name)), schema);
      node.properties.emplace_back(name, id);
    }
  } else if (key == "patternProperties") {
    for (const auto [pattern, schema] : object_of(value, place)) {
      budget_.set_place(fmt::format("{}.{}", place, printable(pattern)));
      Dfa names = compile_regex(pattern, Spelling::kJson, budget_);
      const int id = add(
          fmt::format("{}/patternProperties/{}", node.pointer, pointer_escaped(pattern)), schema);
      node.pattern_properties.emplace_back(std::move(names), id);
    }
  } else if (key == "additionalProperties") {
    node.additional = child(node, key, value);
  } else if (key == "propertyNames") {
    node.property_names = child(node, key, value);
  } else if (key == "required") {
    for (const dom::element name : array_of(value, place)) {
      node.required.emplace_back(text_of(name, place));
    }
  } else if (key == "minProperties") {
    node.min_properties = count_of(value, place);
  } else if (key == "maxProperties") {
    node.max_properties = count_of(value, place);
  } else {
    return false;
  }
  return true;
}

// Follows a JSON pointer from the root: "#/$defs/a".
int JsonSchema::resolve(dom::element reference) {
  const std::string place = budget_.place();
  const std::string_view text = text_of(reference, place);
  if (text != "#" && !text.starts_with("#/")) {
    fail(place, "expected a pointer into this schema (\"#/...\"), found \"{}\"", printable(text));
  }
  std::string rest = fragment_decoded(text.substr(1));
  std::string pointer;
  dom::element at = document_.root();
  for (std::string_view left = rest; !left.empty();) {
    left.remove_prefix(1);
    const size_t end = std::min(left.find('/'), left.size());
    const std::string token = pointer_unescaped(left.substr(0, end));
    left.remove_prefix(end);
    budget_.spend(static_cast<int64_t>(pointer.size()) + 1);
    simdjson::error_code error = simdjson::NO_SUCH_FIELD;
    dom::element next;
    if (at.is_object()) {
      const dom::object object = at.get_object().value_unsafe();
      budget_.spend(static_cast<int64_t>(object.size()));
      if (!pointer.empty() && object.at_key("$id").error() == simdjson::SUCCESS) {
        fail(place, "expected a pointer past no $id, found \"{}\"", printable(text));
      }
      error = object.at_key(token).get(next);
    } else if (at.is_array()) {
      size_t index = 0;
      const char* const last = token.data() + token.size();
      const auto [stop, fault] = std::from_chars(token.data(), last, index);
      const bool number = fault == std::errc() && stop == last && std::to_string(index) == token;
      const dom::array array = at.get_array().value_unsafe();
      budget_.spend(static_cast<int64_t>(array.size()));
      if (number) error = array.at(index).get(next);
    }
    if (error != simdjson::SUCCESS) {
      fail(place, "expected a pointer to a part of the schema, found \"{}\"", printable(text));
    }
    at = next;
    pointer += "/" + pointer_escaped(token);
  }
  return add(std::move(pointer), at);
}

}  // namespace minke
