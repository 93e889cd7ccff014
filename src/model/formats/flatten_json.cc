#include <algorithm>

#include "base/core/error.h"
#include "model/formats/parse.h"

namespace minke {
namespace {

using simdjson::dom::element;
using simdjson::dom::element_type;

// Keys grow with nesting; without a limit a small hostile file could ask for gigabytes of them.
constexpr size_t kMaxKeyBytes = 256;

// Objects that their readers know by their members alone: an empty one is as good as none. So it is
// for transformers, which takes `rope_scaling or rope_parameters` and rope_type "default" where
// both are empty. It refuses an empty quantization_config, so that is none of these.
constexpr std::string_view kByMembers[] = {"rope_scaling", "rope_parameters"};

// A JSON list as a list of one kind; empty if it has items of several kinds, or lists and objects.
MetaArray list_value(simdjson::dom::array items) {
  std::vector<std::string> texts;
  std::vector<double> numbers;
  size_t count = 0, integers = 0, booleans = 0;
  for (const element item : items) {
    ++count;
    if (item.is_string()) {
      texts.emplace_back(std::string_view(item));
    } else if (item.is_bool()) {
      numbers.push_back(bool(item) ? 1.0 : 0.0);
      ++booleans;
    } else if (item.is_number()) {
      numbers.push_back(double(item));
      integers += item.type() == element_type::DOUBLE ? 0 : 1;
    }
  }
  if (texts.size() == count) return meta_texts(std::move(texts));
  MetaArray array;
  array.kind = MetaArray::Kind::kNested;
  array.count = count;
  if (numbers.size() != count || (booleans > 0 && booleans < count)) return array;
  array = meta_numbers(std::move(numbers));
  if (booleans == count) array.kind = MetaArray::Kind::kBool;
  if (integers == count) array.kind = MetaArray::Kind::kInteger;
  return array;
}

void flatten(simdjson::dom::object object, const std::string& prefix, const std::string& file,
             Metadata& metadata) {
  for (const auto& [name, value] : object) {
    std::string key = prefix + std::string(name);
    if (key.size() > kMaxKeyBytes) {
      fail(file, "key '{}': expected at most {} bytes, found {}", printable(key), kMaxKeyBytes,
           key.size());
    }
    const bool by_members = std::ranges::find(kByMembers, key) != std::end(kByMembers);
    if (by_members && !value.is_object() && !value.is_null()) {
      fail(file, "key '{}': expected an object, found {}", key, describe_json(value));
    }
    switch (value.type()) {
      case element_type::OBJECT:
        if (!by_members) metadata.set(key, MetaObject{simdjson::dom::object(value).size()});
        flatten(value, key + ".", file, metadata);
        break;
      case element_type::ARRAY:
        metadata.set(std::move(key), list_value(value));
        break;
      case element_type::STRING:
        metadata.set(std::move(key), std::string(std::string_view(value)));
        break;
      case element_type::BOOL:
        metadata.set(std::move(key), bool(value));
        break;
      case element_type::INT64:
        metadata.set(std::move(key), int64_t(value));
        break;
      case element_type::UINT64:
        metadata.set(std::move(key), uint64_t(value));
        break;
      case element_type::DOUBLE:
        metadata.set(std::move(key), double(value));
        break;
      case element_type::NULL_VALUE:
        break;
    }
  }
}

}  // namespace

void flatten_json(const JsonDocument& document, std::string_view prefix, Metadata& metadata) {
  simdjson::dom::object object;
  if (document.root().get(object) != simdjson::SUCCESS) {
    fail(document.name(), "expected a JSON object, found {}", describe_json(document.root()));
  }
  flatten(object, std::string(prefix), document.name(), metadata);
}

}  // namespace minke
