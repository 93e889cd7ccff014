#include "model/formats/metadata.h"

#include <cmath>
#include <limits>

#include "base/core/byte_reader.h"
#include "base/core/check.h"
#include "base/core/error.h"
#include "model/formats/gguf_types.h"

namespace minke {
namespace {

constexpr double kLargestExact = 0x1p53;  // integers up to here are exact as doubles

// Calls `use` with each element of a GGUF array of fixed-size elements, as it is in the file (bool
// as uint8_t).
template <typename Use>
void for_each_element(const MetaArray& array, const Use& use) {
  ByteReader reader(array.bytes, "metadata array");
  const auto run = [&]<typename T>(T) {
    for (uint64_t i = 0; i < array.count; ++i) use(reader.read<T>("element"));
  };
  switch (static_cast<GgufType>(array.gguf_type)) {
    case GgufType::kU8:
    case GgufType::kBool:
      return run(uint8_t{});
    case GgufType::kI8:
      return run(int8_t{});
    case GgufType::kU16:
      return run(uint16_t{});
    case GgufType::kI16:
      return run(int16_t{});
    case GgufType::kU32:
      return run(uint32_t{});
    case GgufType::kI32:
      return run(int32_t{});
    case GgufType::kU64:
      return run(uint64_t{});
    case GgufType::kI64:
      return run(int64_t{});
    case GgufType::kF32:
      return run(float{});
    case GgufType::kF64:
      return run(double{});
    case GgufType::kText:
    case GgufType::kArray:
      CHECK(false);
  }
}

bool is_encoded(const MetaArray& array) {
  return !array.bytes.empty();
}

}  // namespace

MetaArray meta_texts(std::vector<std::string> texts) {
  MetaArray array;
  array.kind = MetaArray::Kind::kText;
  array.count = texts.size();
  array.texts = std::move(texts);
  return array;
}

MetaArray meta_integers(const std::vector<int64_t>& values) {
  MetaArray array = meta_numbers({values.begin(), values.end()});
  array.kind = MetaArray::Kind::kInteger;
  return array;
}

MetaArray meta_numbers(std::vector<double> values) {
  MetaArray array;
  array.kind = MetaArray::Kind::kNumber;
  array.count = values.size();
  array.numbers = std::move(values);
  return array;
}

std::string describe(const MetaValue& value) {
  if (const auto* v = std::get_if<bool>(&value)) return *v ? "true" : "false";
  if (const auto* v = std::get_if<int64_t>(&value)) return fmt::format("the integer {}", *v);
  if (const auto* v = std::get_if<uint64_t>(&value)) return fmt::format("the integer {}", *v);
  if (const auto* v = std::get_if<double>(&value)) return fmt::format("the number {}", *v);
  if (const auto* v = std::get_if<std::string>(&value)) {
    return fmt::format("text \"{}\"", printable(*v, 40));
  }
  if (const auto* v = std::get_if<MetaObject>(&value)) {
    return v->members == 0 ? "an empty object" : fmt::format("an object of {} members", v->members);
  }
  constexpr const char* kNames[] = {"booleans", "integers", "numbers", "texts",
                                    "lists or mixed values"};
  const auto& array = std::get<MetaArray>(value);
  return fmt::format("a list of {} {}", array.count, kNames[static_cast<int>(array.kind)]);
}

void Metadata::set(std::string key, MetaValue value) {
  const auto [position, added] = values_.try_emplace(std::move(key), std::move(value));
  if (!added) {
    fail(source_, "metadata key '{}' appears twice, found {} before", printable(position->first),
         describe(position->second));
  }
}

void Metadata::replace(std::string key, MetaValue value) {
  values_.insert_or_assign(std::move(key), std::move(value));
}

bool Metadata::has(std::string_view key) const {
  return find(key) != nullptr;
}

std::optional<bool> Metadata::flag(std::string_view key) const {
  const MetaValue* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (const auto* v = std::get_if<bool>(value)) return *v;
  refuse(key, "true or false", *value);
}

std::optional<int64_t> Metadata::integer(std::string_view key) const {
  const MetaValue* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (const auto* v = std::get_if<int64_t>(value)) return *v;
  const auto* v = std::get_if<uint64_t>(value);
  if (v != nullptr && *v <= std::numeric_limits<int64_t>::max()) return static_cast<int64_t>(*v);
  refuse(key, "an integer of at most 63 bits", *value);
}

std::optional<double> Metadata::number(std::string_view key) const {
  const MetaValue* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (const auto* v = std::get_if<int64_t>(value)) return static_cast<double>(*v);
  if (const auto* v = std::get_if<uint64_t>(value)) return static_cast<double>(*v);
  const auto* v = std::get_if<double>(value);
  if (v != nullptr && std::isfinite(*v)) return *v;
  refuse(key, "a finite number", *value);
}

std::optional<std::string> Metadata::text(std::string_view key) const {
  const MetaValue* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (const auto* v = std::get_if<std::string>(value)) return *v;
  refuse(key, "a text", *value);
}

std::optional<std::vector<std::string>> Metadata::texts(std::string_view key) const {
  const MetaValue* value = find(key);
  if (value == nullptr) return std::nullopt;
  const auto* array = std::get_if<MetaArray>(value);
  if (array == nullptr || (array->count > 0 && array->kind != MetaArray::Kind::kText)) {
    refuse(key, "a list of texts", *value);
  }
  if (!is_encoded(*array)) return array->texts;
  std::vector<std::string> out;
  out.reserve(array->count);
  ByteReader reader(array->bytes, "metadata array");
  for (uint64_t i = 0; i < array->count; ++i) out.emplace_back(reader.read_string("text"));
  return out;
}

std::optional<std::vector<int64_t>> Metadata::integers(std::string_view key) const {
  const MetaValue* value = find(key);
  if (value == nullptr) return std::nullopt;
  const auto* array = std::get_if<MetaArray>(value);
  if (array == nullptr) return std::vector<int64_t>{*integer(key)};
  if (array->count > 0 && array->kind != MetaArray::Kind::kInteger) {
    refuse(key, "a list of integers", *value);
  }
  std::vector<int64_t> out;
  if (array->count == 0) return out;
  out.reserve(array->count);
  if (is_encoded(*array)) {
    for_each_element(*array, [&](auto element) {
      out.push_back(static_cast<int64_t>(element));
      if (std::is_same_v<decltype(element), uint64_t> && out.back() < 0) {
        refuse(key, "integers of at most 63 bits", *value);
      }
    });
  } else {
    for (const double number : array->numbers) {
      if (std::fabs(number) > kLargestExact) refuse(key, "integers of at most 53 bits", *value);
      out.push_back(static_cast<int64_t>(number));
    }
  }
  return out;
}

std::optional<std::vector<double>> Metadata::numbers(std::string_view key) const {
  const MetaValue* value = find(key);
  if (value == nullptr) return std::nullopt;
  const auto* array = std::get_if<MetaArray>(value);
  const bool fits =
      array != nullptr && (array->count == 0 || array->kind == MetaArray::Kind::kNumber ||
                           array->kind == MetaArray::Kind::kInteger);
  if (!fits) refuse(key, "a list of numbers", *value);
  std::vector<double> out;
  if (array->count == 0) return out;
  if (is_encoded(*array)) {
    out.reserve(array->count);
    for_each_element(*array, [&](auto element) { out.push_back(static_cast<double>(element)); });
  } else {
    out = array->numbers;
  }
  for (const double number : out) {
    if (!std::isfinite(number)) refuse(key, "finite numbers", *value);
  }
  return out;
}

const MetaValue* Metadata::find(std::string_view key) const {
  const auto found = values_.find(key);
  return found == values_.end() ? nullptr : &found->second;
}

void Metadata::refuse(std::string_view key, std::string_view expected,
                      const MetaValue& found) const {
  fail(source_, "metadata key '{}': expected {}, found {}", printable(key), expected,
       describe(found));
}

}  // namespace minke
