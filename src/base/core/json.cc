#include "base/core/json.h"

#include <algorithm>
#include <charconv>

#include "base/core/error.h"
#include "base/core/json_fault.h"
#include "base/core/mapped_file.h"

namespace minke {
namespace {

// Whether `number`, a run of the bytes that numbers consist of, is an integer that neither int64_t
// nor uint64_t holds.
bool is_large_integer(std::string_view number) {
  const std::string_view digits = number.substr(number.starts_with('-') ? 1 : 0);
  if (digits.empty() || digits.find_first_not_of("0123456789") != std::string_view::npos) {
    return false;
  }
  const char* const end = number.data() + number.size();
  uint64_t natural = 0;
  int64_t negative = 0;
  const auto result = number.starts_with('-') ? std::from_chars(number.data(), end, negative)
                                              : std::from_chars(number.data(), end, natural);
  return result.ec == std::errc::result_out_of_range;
}

// `text` with ".0" behind integers over 64 bits: simdjson refuses those, and takes reals of any
// length.
std::string with_large_integers_as_reals(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size();) {
    size_t end = i + 1;
    if (text[i] == '"') {
      while (end < text.size() && text[end] != '"') end += text[end] == '\\' ? 2 : 1;
      end = std::min(end + 1, text.size());
    } else if (text[i] == '-' || (text[i] >= '0' && text[i] <= '9')) {
      end = std::min(text.find_first_not_of("+-.eE0123456789", i), text.size());
    }
    const std::string_view token = text.substr(i, end - i);
    out += token;
    if (text[i] != '"' && is_large_integer(token)) out += ".0";
    i = end;
  }
  return out;
}

}  // namespace

JsonDocument JsonDocument::parse(std::string_view text, std::string name) {
  JsonDocument document;
  document.parser_ = std::make_unique<simdjson::dom::parser>();
  document.name_ = std::move(name);
  if (text.empty()) fail(document.name_, "not valid JSON: it is empty");
  auto result = document.parser_->parse(text.data(), text.size());
  if (result.error() == simdjson::NUMBER_ERROR) {
    result = document.parser_->parse(with_large_integers_as_reals(text));
  }
  if (result.error() != simdjson::SUCCESS) {
    if (const auto fault = find_json_fault(text)) {
      const auto line = 1 + std::count(text.begin(), text.begin() + fault->offset, '\n');
      fail(document.name_, "not valid JSON: line {}, byte {}: expected {}, found {}", line,
           fault->offset, fault->expected, fault->found);
    }
    fail(document.name_, "not valid JSON: {}", simdjson::error_message(result.error()));
  }
  document.root_ = result.value_unsafe();
  return document;
}

JsonDocument JsonDocument::read(const std::filesystem::path& path) {
  const auto file = MappedFile::open(path);
  const auto bytes = file->bytes();
  return parse({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path.string());
}

std::string describe_json(simdjson::dom::element element) {
  switch (element.type()) {
    case simdjson::dom::element_type::OBJECT:
      return "an object";
    case simdjson::dom::element_type::ARRAY:
      return "an array";
    case simdjson::dom::element_type::STRING:
      return fmt::format("\"{}\"", printable(element.get_string().value_unsafe()));
    default:
      return simdjson::minify(element);
  }
}

}  // namespace minke
