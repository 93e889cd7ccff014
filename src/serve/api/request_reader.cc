#include "serve/api/request_reader.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "base/core/error.h"
#include "serve/api/api_errors.h"

namespace minke {
namespace {

using Element = simdjson::dom::element;

constexpr std::string_view kNothing = "expected this field, found nothing";

[[noreturn]] void fail_field(int status, const std::string& path, std::string_view message) {
  throw ApiFailure(
      api_error(status, fmt::format("{}: {}", path.empty() ? "request" : path, message), path));
}

std::string member_path(const std::string& path, std::string_view name) {
  const std::string shown = printable(name, 40);
  return path.empty() ? shown : fmt::format("{}.{}", path, shown);
}

std::string item_path(const std::string& path, size_t index) {
  return fmt::format("{}[{}]", path, index);
}

void refuse_repeated_members(Element value, const std::string& path) {
  if (value.is_array()) {
    size_t index = 0;
    const simdjson::dom::array items = value.get_array().value_unsafe();
    for (const Element item : items) {
      if (item.is_object() || item.is_array()) {
        refuse_repeated_members(item, item_path(path, index));
      }
      ++index;
    }
  }
  if (!value.is_object()) return;
  std::vector<std::string_view> names;
  const simdjson::dom::object object = value.get_object().value_unsafe();
  for (const auto& [name, member] : object) {
    names.push_back(name);
    if (member.is_object() || member.is_array()) {
      refuse_repeated_members(member, member_path(path, name));
    }
  }
  std::ranges::sort(names);
  const auto twice = std::ranges::adjacent_find(names);
  if (twice == names.end()) return;
  fail_field(400, member_path(path, *twice), "expected this field once, found it twice");
}

bool is_plain_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-';
}

bool is_name_byte(char c) {
  return is_plain_byte(c) || c == '.' || c == '[' || c == ']';
}

}  // namespace

void IgnoredFields::add(std::string_view path) {
  constexpr size_t kMostNames = 32, kMostBytes = 64;
  std::string name;
  bool in_index = false;
  for (const char c : path) {
    if (c == ']') in_index = false;
    if (in_index) continue;
    if (name.size() == kMostBytes) break;
    name += is_name_byte(c) ? c : '?';
    in_index = c == '[';
  }
  if (std::ranges::find(names_, name) != names_.end()) return;
  if (names_.size() == kMostNames) {
    more_ = true;
  } else {
    names_.push_back(std::move(name));
  }
}

std::string IgnoredFields::header() const {
  return fmt::format("{}{}", fmt::join(names_, ", "), more_ ? ", ..." : "");
}

void JsonField::expected(std::string_view what) const {
  fail_field(400, path_, fmt::format("expected {}, found {}", what, describe_json(element_)));
}

void JsonField::fail_value(const std::string& message) const {
  fail_field(static_cast<int>(status_), path_, message);
}

void JsonField::invalid(std::string_view what) const {
  fail_value(fmt::format("expected {}, found {}", what, describe_json(element_)));
}

void JsonField::refused(std::string_view why) const {
  fail_field(400, path_, why);
}

void JsonField::refused_type(std::string_view what) const {
  const JsonField type = need("type");
  type.refused(fmt::format("{} of type \"{}\" are not supported", what, printable(type.text())));
}

simdjson::dom::object JsonField::object() const {
  simdjson::dom::object value;
  if (element_.get_object().get(value) != simdjson::SUCCESS) expected("an object");
  return value;
}

JsonField JsonField::member(std::string_view name, Element value) const {
  return {value, member_path(path_, name), status_};
}

JsonField JsonField::item(size_t index, Element value) const {
  return {value, item_path(path_, index), status_};
}

std::optional<JsonField> JsonField::get(std::string_view name) const {
  Element value;
  if (object().at_key(name).get(value) != simdjson::SUCCESS || value.is_null()) return std::nullopt;
  return member(name, value);
}

JsonField JsonField::need(std::string_view name) const {
  const auto field = get(name);
  if (!field) fail_field(400, member_path(path_, name), kNothing);
  return *field;
}

std::vector<std::pair<std::string, JsonField>> JsonField::members(size_t most) const {
  const simdjson::dom::object values = object();
  std::vector<std::pair<std::string, JsonField>> fields;
  for (const auto& [name, value] : values) {
    if (value.is_null()) continue;
    if (fields.size() == most) {
      fail_value(fmt::format("expected at most {} members, found more", most));
    }
    fields.emplace_back(name, member(name, value));
  }
  return fields;
}

bool JsonField::boolean() const {
  bool value = false;
  if (element_.get_bool().get(value) != simdjson::SUCCESS) expected("true or false");
  return value;
}

std::string JsonField::text(size_t most) const {
  std::string_view value;
  if (element_.get_string().get(value) != simdjson::SUCCESS) expected("a string");
  if (value.size() > most) {
    fail_value(fmt::format("expected at most {} bytes, found {}", most, value.size()));
  }
  return std::string(value);
}

std::string JsonField::text(size_t least, size_t most) const {
  std::string value = text();
  if (value.size() < least || value.size() > most) {
    fail_value(fmt::format("expected {} to {} bytes, found {}", least, most, value.size()));
  }
  return value;
}

int64_t JsonField::integer(int64_t least, int64_t most) const {
  const auto range = [&] { return fmt::format("an integer from {} to {}", least, most); };
  int64_t value = 0;
  if (element_.is_double()) {
    const double real = element_.get_double().value_unsafe();
    if (real != std::floor(real)) expected("an integer");
    // Reals beyond 2^53 do not say which integer is meant.
    if (std::abs(real) > 0x1p53) invalid(range());
    value = static_cast<int64_t>(real);
  } else if (element_.is_uint64() && !element_.is_int64()) {
    invalid(range());
  } else if (element_.get_int64().get(value) != simdjson::SUCCESS) {
    expected("an integer");
  }
  if (value < least || value > most) invalid(range());
  return value;
}

uint64_t JsonField::seed() const {
  uint64_t value = 0;
  if (element_.get_uint64().get(value) == simdjson::SUCCESS) return value;
  constexpr int64_t kLeast = std::numeric_limits<int64_t>::min();
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  return static_cast<uint64_t>(integer(kLeast, kMost));
}

double JsonField::number(double least, double most) const {
  double value = 0;
  if (element_.get_double().get(value) != simdjson::SUCCESS) expected("a number");
  if (!(value >= least && value <= most)) {
    invalid(fmt::format("a number from {} to {}", least, most));
  }
  return value;
}

std::string_view JsonField::one_of(std::initializer_list<std::string_view> names) const {
  const std::string name = text();
  for (const std::string_view known : names) {
    if (name == known) return known;
  }
  invalid(fmt::format("one of \"{}\"", fmt::join(names, "\", \"")));
}

std::string JsonField::name(size_t most) const {
  std::string value = text();
  if (value.empty() || value.size() > most || !std::ranges::all_of(value, is_plain_byte)) {
    invalid(fmt::format("a name of 1 to {} letters, digits, \"_\" or \"-\"", most));
  }
  return value;
}

std::string JsonField::object_json() const {
  return simdjson::minify(object());
}

std::vector<JsonField> JsonField::items(size_t most) const {
  simdjson::dom::array array;
  if (element_.get_array().get(array) != simdjson::SUCCESS) expected("an array");
  std::vector<JsonField> items;
  for (const Element item : array) {
    if (items.size() == most) {
      fail_value(fmt::format("expected at most {} items, found more", most));
    }
    items.push_back(this->item(items.size(), item));
  }
  return items;
}

std::vector<int32_t> JsonField::ids(size_t most) const {
  simdjson::dom::array array;
  if (element_.get_array().get(array) != simdjson::SUCCESS) expected("an array");
  std::vector<int32_t> ids;
  for (const Element value : array) {
    if (ids.size() == most) {
      fail_value(fmt::format("expected at most {} tokens, found more", most));
    }
    constexpr int64_t kMost = std::numeric_limits<int32_t>::max();
    int64_t id = -1;
    if (value.get_int64().get(id) != simdjson::SUCCESS || id < 0 || id > kMost) {
      id = item(ids.size(), value).integer(0, kMost);
    }
    ids.push_back(static_cast<int32_t>(id));
  }
  return ids;
}

JsonObject::JsonObject(const JsonField& field, IgnoredFields& ignored)
    : field_(field), ignored_(&ignored) {
  const simdjson::dom::object object = field.object();
  for (const auto [name, value] : object) {
    if (members_.size() == kMostMembers) {
      field.fail_value(fmt::format("expected at most {} members, found more", kMostMembers));
    }
    members_.push_back({name, value});
  }
  std::ranges::sort(members_, {}, &Member::name);
}

JsonObject::Member* JsonObject::find(std::string_view name) {
  const auto found = std::ranges::lower_bound(members_, name, {}, &Member::name);
  return found != members_.end() && found->name == name ? &*found : nullptr;
}

std::string JsonObject::path_of(std::string_view name) const {
  return member_path(field_.path(), name);
}

std::optional<JsonField> JsonObject::get(std::string_view name) {
  Member* const member = find(name);
  if (member == nullptr) return std::nullopt;
  member->read = true;
  if (member->value.is_null()) return std::nullopt;
  return field_.member(name, member->value);
}

JsonField JsonObject::need(std::string_view name) {
  const auto field = get(name);
  if (!field) fail_field(400, path_of(name), kNothing);
  return *field;
}

void JsonObject::refuse(std::string_view name, std::string_view why) {
  if (const auto field = get(name)) field->refused(why);
}

bool JsonObject::boolean_or(std::string_view name, bool fallback) {
  const auto field = get(name);
  return field ? field->boolean() : fallback;
}

std::vector<std::pair<std::string, JsonField>> JsonObject::all() {
  std::vector<std::pair<std::string, JsonField>> fields;
  for (Member& member : members_) {
    member.read = true;
    if (member.value.is_null()) continue;
    fields.emplace_back(member.name, field_.member(member.name, member.value));
  }
  return fields;
}

void JsonObject::close() {
  for (const Member& member : members_) {
    if (!member.read && !member.value.is_null())
      ignored_->add(field_.path().empty() ? std::string(member.name)
                                          : fmt::format("{}.{}", field_.path(), member.name));
  }
}

RequestBody RequestBody::parse(std::string_view body, ValueStatus status) {
  std::optional<JsonDocument> document;
  try {
    document = JsonDocument::parse(body, "request");
  } catch (const Error& error) {
    throw ApiFailure(api_error(400, error.what(), "", "invalid_json"));
  }
  refuse_repeated_members(document->root(), "");
  return {*std::move(document), status};
}

}  // namespace minke
