#include "serve/api/message_fields.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "base/core/error.h"

namespace minke {
namespace {

using simdjson::dom::element;

[[noreturn]] void refuse_at(const std::string& path, std::string_view why) {
  ApiError error;
  error.message = fmt::format("{}: {}", path.empty() ? "the request body" : path, why);
  error.param = path;
  throw ApiFailure(std::move(error));
}

std::string member_path(const std::string& path, std::string_view key) {
  const std::string name = printable(key);
  return path.empty() ? name : fmt::format("{}.{}", path, name);
}

std::string item_path(const std::string& path, size_t index) {
  return fmt::format("{}[{}]", path, index);
}

// What reads of a member that stands twice depends on the reader, so that two programs in a row may
// see different requests.
void refuse_repeated_members(element value, const std::string& path) {
  if (value.is_array()) {
    size_t index = 0;
    const simdjson::dom::array items = value.get_array().value_unsafe();
    for (const element item : items) {
      if (item.is_object() || item.is_array()) {
        refuse_repeated_members(item, item_path(path, index));
      }
      ++index;
    }
  }
  if (!value.is_object()) return;
  std::vector<std::string_view> keys;
  const simdjson::dom::object object = value.get_object().value_unsafe();
  for (const auto& [key, member] : object) {
    keys.push_back(key);
    if (member.is_object() || member.is_array()) {
      refuse_repeated_members(member, member_path(path, key));
    }
  }
  std::sort(keys.begin(), keys.end());
  const auto twice = std::adjacent_find(keys.begin(), keys.end());
  if (twice != keys.end()) refuse_at(member_path(path, *twice), "this member stands there twice");
}

}  // namespace

void MessageField::refuse(std::string_view why) const {
  refuse_at(path_, why);
}

void MessageField::expected(std::string_view what) const {
  refuse(fmt::format("expected {}, found {}", what, describe_json(element_)));
}

void MessageField::refuse_type(std::string_view what) const {
  const MessageField type = need("type");
  type.refuse(fmt::format("{} of type \"{}\" are not supported", what, printable(type.text())));
}

simdjson::dom::object MessageField::object() const {
  simdjson::dom::object value;
  if (element_.get(value) != simdjson::SUCCESS) expected("an object");
  return value;
}

std::optional<MessageField> MessageField::get(std::string_view key) const {
  element value;
  if (object().at_key(key).get(value) != simdjson::SUCCESS || value.is_null()) return std::nullopt;
  return MessageField(value, member_path(path_, key));
}

MessageField MessageField::need(std::string_view key) const {
  const auto value = get(key);
  if (!value) refuse_at(member_path(path_, key), "expected a value, found none");
  return *value;
}

std::vector<std::pair<std::string, MessageField>> MessageField::named_members(size_t most) const {
  const simdjson::dom::object members = object();
  std::vector<std::pair<std::string, MessageField>> fields;
  for (const auto& [key, value] : members) {
    if (value.is_null()) continue;
    if (fields.size() == most) refuse(fmt::format("expected at most {} members", most));
    fields.emplace_back(key, MessageField(value, member_path(path_, key)));
  }
  return fields;
}

std::vector<MessageField> MessageField::items(size_t most) const {
  simdjson::dom::array array;
  if (element_.get(array) != simdjson::SUCCESS) expected("an array");
  std::vector<MessageField> fields;
  for (const element value : array) {
    if (fields.size() == most) refuse(fmt::format("expected at most {} elements", most));
    fields.emplace_back(value, item_path(path_, fields.size()));
  }
  return fields;
}

std::string MessageField::text() const {
  std::string_view value;
  if (element_.get(value) != simdjson::SUCCESS) expected("a string");
  return std::string(value);
}

std::string MessageField::text(size_t least, size_t most) const {
  std::string value = text();
  if (value.size() < least || value.size() > most) {
    refuse(fmt::format("expected {} to {} bytes, found {}", least, most, value.size()));
  }
  return value;
}

std::string MessageField::word(std::span<const std::string_view> words) const {
  const std::string value = text();
  if (std::find(words.begin(), words.end(), value) == words.end()) {
    expected(fmt::format("one of \"{}\"", fmt::join(words, "\", \"")));
  }
  return value;
}

std::string MessageField::name() const {
  const std::string value = text(1, 128);
  for (const char c : value) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!plain && c != '_' && c != '-') expected("a name of letters, digits, _ and -");
  }
  return value;
}

bool MessageField::boolean() const {
  bool value = false;
  if (element_.get(value) != simdjson::SUCCESS) expected("true or false");
  return value;
}

int64_t MessageField::integer(int64_t least, int64_t most) const {
  const auto wrong = [&] { expected(fmt::format("an integer from {} to {}", least, most)); };
  int64_t value = 0;
  if (element_.get(value) != simdjson::SUCCESS) {
    double real = 0;
    if (!element_.is_double() || element_.get(real) != simdjson::SUCCESS) wrong();
    if (real != std::floor(real) || std::abs(real) > 0x1p53) wrong();
    value = static_cast<int64_t>(real);
  }
  if (value < least || value > most) wrong();
  return value;
}

double MessageField::number(double least, double most) const {
  double value = 0;
  if (element_.get(value) != simdjson::SUCCESS || !(value >= least && value <= most)) {
    expected(fmt::format("a number from {} to {}", least, most));
  }
  return value;
}

std::string MessageField::object_json() const {
  return simdjson::minify(object());
}

MessageBody MessageBody::parse(std::string_view body) {
  std::optional<JsonDocument> document;
  try {
    document = JsonDocument::parse(body, "the request body");
  } catch (const Error& error) {
    ApiError refusal;
    refusal.message = error.what();
    throw ApiFailure(std::move(refusal));
  }
  if (!document->root().is_object()) MessageField(document->root(), "").expected("an object");
  refuse_repeated_members(document->root(), "");
  return MessageBody(std::move(*document));
}

std::vector<std::string> MessageBody::unknown(std::span<const std::string_view> known) const {
  std::vector<std::string> names;
  const simdjson::dom::object object = document_.root().get_object().value_unsafe();
  for (const auto& [key, value] : object) {
    if (value.is_null() || std::find(known.begin(), known.end(), key) != known.end()) continue;
    names.emplace_back(key);
  }
  return names;
}

std::string read_texts(const MessageField& content, std::span<const std::string_view> types) {
  if (content.is_string()) return content.text();
  std::string joined;
  bool first = true;
  for (const MessageField& part : content.items(kMostParts)) {
    const std::string type = part.need("type").text();
    if (std::find(types.begin(), types.end(), type) == types.end()) {
      part.refuse_type("the model reads text alone: contents");
    }
    if (!first) joined += '\n';
    joined += part.need(type == "refusal" ? "refusal" : "text").text();
    first = false;
  }
  return joined;
}

void read_function(const MessageField& tool, std::string_view schema_key, TurnRequest& turn) {
  Tool function;
  const MessageField name = tool.need("name");
  function.name = name.name();
  for (const Tool& other : turn.conversation.tools) {
    if (other.name == function.name) name.refuse("two tools have this name");
  }
  if (const auto description = tool.get("description")) function.description = description->text();
  const auto schema = tool.get(schema_key);
  function.parameters = schema ? schema->object_json() : R"({"type":"object","properties":{}})";
  const auto strict = tool.get("strict");
  turn.strict_tools.push_back(strict && strict->boolean());
  turn.conversation.tools.push_back(std::move(function));
}

bool read_sampling(const MessageField& root, SamplingOptions& sampling) {
  const auto temperature = root.get("temperature");
  sampling.temperature = temperature ? static_cast<float>(temperature->number(0, 2)) : 1;
  const auto top_p = root.get("top_p");
  // The sampler keeps the most likely token for the smallest share, and knows no share of 0.
  sampling.top_p =
      top_p ? std::max(static_cast<float>(top_p->number(0, 1)), std::numeric_limits<float>::min())
            : 1;
  const auto seed = root.get("seed");
  if (seed) {
    sampling.seed = static_cast<uint64_t>(
        seed->integer(std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max()));
  }
  return seed.has_value();
}

void choose_function(const MessageField& name, TurnRequest& turn) {
  turn.named_tool = name.text();
  const auto& tools = turn.conversation.tools;
  const bool known = std::any_of(tools.begin(), tools.end(),
                                 [&](const Tool& tool) { return tool.name == turn.named_tool; });
  if (!known) name.expected("the name of one of the tools");
  turn.tool_choice = ToolChoice::kNamed;
}

}  // namespace minke
