#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include <simdjson.h>

namespace minke {

// A parsed JSON document of a stranger. Depth is limited by simdjson (1024); `name` (a file, a
// request) begins every error, and one of the syntax says in which line and at which byte it is.
// Integers over 64 bits, which JSON allows and Python writes, are read as doubles.
class JsonDocument {
 public:
  static JsonDocument parse(std::string_view text, std::string name);
  static JsonDocument read(const std::filesystem::path& path);

  simdjson::dom::element root() const { return root_; }
  const std::string& name() const { return name_; }

 private:
  JsonDocument() = default;
  // The parser owns the memory that root_ points into.
  std::unique_ptr<simdjson::dom::parser> parser_;
  simdjson::dom::element root_;
  std::string name_;
};

// What `element` is, for error messages: "an object", "an array", "\"yarn\"", "3.5", "null".
std::string describe_json(simdjson::dom::element element);

}  // namespace minke
