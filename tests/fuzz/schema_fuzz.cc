// Choices and a JSON Schema, with a zero byte between: an Error, or texts that are JSON and use no
// name twice.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include <simdjson.h>

#include "base/core/check.h"
#include "base/core/error.h"
#include "grammar_drawing.h"

namespace {

void check_names(simdjson::dom::element element) {
  if (element.is_array()) {
    const simdjson::dom::array items = element.get_array().value_unsafe();
    for (const simdjson::dom::element item : items) check_names(item);
  } else if (element.is_object()) {
    const simdjson::dom::object members = element.get_object().value_unsafe();
    std::set<std::string_view> names;
    for (const auto [name, value] : members) {
      CHECK(names.insert(name).second);
      check_names(value);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t end = std::min(input.find('\0'), size);
  // Fewer tokens than simdjson takes levels.
  const std::string_view choices = input.substr(0, std::min<size_t>(end, 400));
  try {
    const auto grammar =
        minke::compile_json_schema(input.substr(std::min(end + 1, size)), minke::fuzz_limits());
    const std::string text = minke::draw(grammar, choices);
    if (text.empty()) return 0;
    simdjson::dom::parser parser;
    simdjson::dom::element element;
    CHECK(parser.parse(simdjson::padded_string(text)).get(element) == simdjson::SUCCESS);
    check_names(element);
  } catch (const minke::Error&) {
  }
  return 0;
}
