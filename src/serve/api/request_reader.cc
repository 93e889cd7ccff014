#include "serve/api/request_reader.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "base/core/error.h"
#include "serve/api/api_errors.h"

namespace minke {
namespace {

[[noreturn]] void fail_field(int status, const std::string& path, std::string_view message) {
  throw ApiFailure(
      api_error(status, fmt::format("{}: {}", path.empty() ? "request" : path, message), path));
}

bool is_name_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || c == '.' || c == '[' || c == ']';
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

void JsonField::invalid(std::string_view what) const {
  fail_field(422, path_, fmt::format("expected {}, found {}", what, describe_json(element_)));
}

void JsonField::refused(std::string_view why) const {
  fail_field(400, path_, why);
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
    fail_field(422, path_, fmt::format("expected at most {} bytes, found {}", most, value.size()));
  }
  return std::string(value);
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

std::vector<JsonField> JsonField::items(size_t most) const {
  simdjson::dom::array array;
  if (element_.get_array().get(array) != simdjson::SUCCESS) expected("an array");
  std::vector<JsonField> items;
  for (const simdjson::dom::element item : array) {
    if (items.size() == most) {
      fail_field(422, path_, fmt::format("expected at most {} items, found more", most));
    }
    items.emplace_back(item, fmt::format("{}[{}]", path_, items.size()));
  }
  return items;
}

std::vector<int32_t> JsonField::ids(size_t most) const {
  simdjson::dom::array array;
  if (element_.get_array().get(array) != simdjson::SUCCESS) expected("an array");
  std::vector<int32_t> ids;
  for (const simdjson::dom::element item : array) {
    if (ids.size() == most) {
      fail_field(422, path_, fmt::format("expected at most {} tokens, found more", most));
    }
    constexpr int64_t kMost = std::numeric_limits<int32_t>::max();
    int64_t id = -1;
    if (item.get_int64().get(id) != simdjson::SUCCESS || id < 0 || id > kMost) {
      id = JsonField(item, fmt::format("{}[{}]", path_, ids.size())).integer(0, kMost);
    }
    ids.push_back(static_cast<int32_t>(id));
  }
  return ids;
}

JsonObject::JsonObject(const JsonField& field, IgnoredFields& ignored)
    : path_(field.path()), ignored_(&ignored) {
  simdjson::dom::object object;
  if (field.element().get_object().get(object) != simdjson::SUCCESS) field.expected("an object");
  for (const auto [name, value] : object) {
    if (members_.size() == kMostMembers) {
      fail_field(422, path_, fmt::format("expected at most {} members, found more", kMostMembers));
    }
    members_.push_back({name, value});
  }
  std::ranges::sort(members_, {}, &Member::name);
  const auto twice = std::ranges::adjacent_find(members_, {}, &Member::name);
  if (twice != members_.end()) {
    fail_field(400, path_,
               fmt::format("expected each name once, found \"{}\" twice", printable(twice->name)));
  }
}

JsonObject::Member* JsonObject::find(std::string_view name) {
  const auto found = std::ranges::lower_bound(members_, name, {}, &Member::name);
  return found != members_.end() && found->name == name ? &*found : nullptr;
}

std::string JsonObject::path_of(std::string_view name) const {
  return path_.empty() ? std::string(name) : fmt::format("{}.{}", path_, name);
}

std::optional<JsonField> JsonObject::get(std::string_view name) {
  Member* const member = find(name);
  if (member == nullptr) return std::nullopt;
  member->read = true;
  if (member->value.is_null()) return std::nullopt;
  return JsonField(member->value, path_of(name));
}

JsonField JsonObject::need(std::string_view name) {
  const auto field = get(name);
  if (!field) fail_field(400, path_of(name), "expected this field, found nothing");
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
    fields.emplace_back(member.name, JsonField(member.value, path_of(printable(member.name, 40))));
  }
  return fields;
}

void JsonObject::close() {
  for (const Member& member : members_) {
    if (!member.read && !member.value.is_null()) ignored_->add(path_of(member.name));
  }
}

JsonDocument parse_request(std::string_view body) {
  try {
    return JsonDocument::parse(body, "request");
  } catch (const Error& error) {
    throw ApiFailure(api_error(400, error.what(), "", "invalid_json"));
  }
}

}  // namespace minke
