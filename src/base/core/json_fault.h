#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace minke {

// The first place where a text is not JSON. simdjson only says that there is one.
struct JsonFault {
  size_t offset;  // in bytes
  std::string expected, found;
};

// Reads `text` as RFC 8259 has it, at most 1024 levels deep and with numbers that a double can
// hold. Nothing if there is no fault. Takes memory for the levels only.
std::optional<JsonFault> find_json_fault(std::string_view text);

}  // namespace minke
