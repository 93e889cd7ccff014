#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace minke {

// A list value. One of a GGUF file stays encoded in the mapped file until somebody asks; one of a
// JSON file, or made by the program, is held in `texts` or `numbers`.
struct MetaArray {
  enum class Kind : uint8_t { kBool, kInteger, kNumber, kText, kNested };
  Kind kind = Kind::kInteger;
  uint64_t count = 0;
  uint32_t gguf_type = 0;  // element type id, for GGUF arrays
  std::span<const uint8_t>
      bytes;  // encoded elements, for GGUF arrays; checked to hold `count` of them
  std::shared_ptr<const void> owner;  // keeps `bytes` alive
  std::vector<std::string> texts;     // kText
  std::vector<double> numbers;        // kBool (0 and 1), kInteger (magnitude up to 2^53), kNumber
};

MetaArray meta_texts(std::vector<std::string> texts);
MetaArray meta_integers(const std::vector<int64_t>& values);
MetaArray meta_numbers(std::vector<double> values);

// An object of a JSON file. Its members are values of their own, under longer keys; this stands
// under the object's own key, so that a reader who expects another kind there does not take the key
// for absent.
struct MetaObject {
  size_t members = 0;
};

using MetaValue = std::variant<bool, int64_t, uint64_t, double, std::string, MetaArray, MetaObject>;

// What `value` is, for error messages: "text \"yarn\"", "the number 3.5", "a list of 4 integers",
// "an empty object".
std::string describe(const MetaValue& value);

// The key-value facts of a model: a GGUF file's metadata, or config.json with nested objects
// flattened ("rope_scaling.factor"). A JSON null counts as absent. Readers are tolerant about
// integer widths, strict about kinds: a value of the wrong kind, out of range or not finite throws
// Error naming the source, the key, and what was found.
class Metadata {
 public:
  explicit Metadata(std::string source) : source_(std::move(source)) {}

  // Throws Error if the key is there already.
  void set(std::string key, MetaValue value);
  // Puts `value` in the place of what is there, if anything.
  void replace(std::string key, MetaValue value);

  bool has(std::string_view key) const;
  std::optional<bool> flag(std::string_view key) const;
  std::optional<int64_t> integer(std::string_view key) const;
  std::optional<double> number(std::string_view key) const;
  std::optional<std::string> text(std::string_view key) const;
  std::optional<std::vector<std::string>> texts(std::string_view key) const;
  // A list of integers; a single integer counts as a list of one.
  std::optional<std::vector<int64_t>> integers(std::string_view key) const;
  std::optional<std::vector<double>> numbers(std::string_view key) const;

  const std::string& source() const { return source_; }
  const std::map<std::string, MetaValue, std::less<>>& values() const { return values_; }

 private:
  const MetaValue* find(std::string_view key) const;
  [[noreturn]] void refuse(std::string_view key, std::string_view expected,
                           const MetaValue& found) const;

  std::string source_;
  std::map<std::string, MetaValue, std::less<>> values_;
};

}  // namespace minke
