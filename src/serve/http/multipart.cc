#include "serve/http/multipart.h"

#include <algorithm>
#include <utility>

#include "base/core/error.h"
#include "base/core/utf8.h"
#include "serve/http/http_text.h"

namespace minke {
namespace {

constexpr std::string_view kWhere = "form";
constexpr std::string_view kLineBreak = "\r\n";
constexpr size_t kMostBoundaryBytes = 70;  // RFC 2046, 5.1.1

using Parameters = std::vector<std::pair<std::string, std::string>>;

// "form-data" and its parameters, of `form-data; name="a"; filename=b`. Names are in lower case.
struct HeaderValue {
  std::string value;
  Parameters parameters;

  std::optional<std::string> get(std::string_view name) const {
    const auto found = std::find_if(parameters.begin(), parameters.end(),
                                    [&](const auto& entry) { return entry.first == name; });
    if (found == parameters.end()) return std::nullopt;
    return found->second;
  }
};

// Takes a quoted string, without its quotes, from the front of `text`.
std::string take_quoted(std::string_view& text, std::string_view header) {
  std::string value;
  for (size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '"') {
      text.remove_prefix(i + 1);
      return value;
    }
    // Only these are escapes: some clients send the backslashes of a path as they are.
    const bool escape =
        text[i] == '\\' && i + 1 < text.size() && (text[i + 1] == '"' || text[i + 1] == '\\');
    value.push_back(text[escape ? ++i : i]);
  }
  fail(kWhere, "{}: expected a quotation mark at the end of \"{}\"", header, printable(value));
}

HeaderValue read_value(std::string_view text, std::string_view header) {
  HeaderValue value;
  const size_t end = std::min(text.find(';'), text.size());
  value.value = lower_ascii(trim_blanks(text.substr(0, end)));
  text.remove_prefix(end);
  while (!text.empty()) {
    text = trim_blanks(text.substr(1));
    const size_t equals = text.find('=');
    const std::string name = lower_ascii(text.substr(0, std::min(equals, text.size())));
    if (equals == std::string_view::npos || !is_http_token(name)) {
      fail(kWhere, "{}: expected name=value, found \"{}\"", header, printable(text));
    }
    if (value.get(name)) fail(kWhere, "{}: {} stands twice", header, printable(name));
    text.remove_prefix(equals + 1);
    std::string content;
    if (text.starts_with('"')) {
      content = take_quoted(text, header);
      text = trim_blanks(text);
      if (!text.empty() && text.front() != ';') {
        fail(kWhere, "{}: expected a semicolon, found \"{}\"", header, printable(text));
      }
    } else {
      const size_t length = std::min(text.find(';'), text.size());
      content = trim_blanks(text.substr(0, length));
      text.remove_prefix(length);
    }
    value.parameters.emplace_back(name, std::move(content));
  }
  return value;
}

bool is_boundary(std::string_view text) {
  constexpr std::string_view kMarks = "'()+_,-./:=? ";
  return !text.empty() && text.size() <= kMostBoundaryBytes && text.back() != ' ' &&
         std::all_of(text.begin(), text.end(), [&](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                  kMarks.find(c) != std::string_view::npos;
         });
}

std::string boundary_of(std::string_view content_type) {
  const HeaderValue value = read_value(content_type, "Content-Type");
  if (value.value != "multipart/form-data") {
    fail(kWhere, "Content-Type: expected multipart/form-data, found \"{}\"",
         printable(value.value));
  }
  const std::string boundary = value.get("boundary").value_or("");
  if (!is_boundary(boundary)) {
    fail(kWhere, "Content-Type: expected a boundary of 1 to {} characters, found \"{}\"",
         kMostBoundaryBytes, printable(boundary));
  }
  return boundary;
}

// Browsers write a quotation mark in a name as %22, and leave other percent signs alone.
std::string plain_name(std::string_view text) {
  constexpr std::string_view kQuote = "%22";
  std::string name(text);
  for (size_t at = 0; (at = name.find(kQuote, at)) != std::string::npos; ++at) {
    name.replace(at, kQuote.size(), "\"");
  }
  if (!utf8_valid(name)) fail(kWhere, "expected UTF-8, found the name \"{}\"", printable(name));
  return name;
}

void read_header(std::string_view line, FormPart& part, bool& has_disposition) {
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos || !is_http_token(line.substr(0, colon))) {
    fail(kWhere, "expected the header of a part, found \"{}\"", printable(line));
  }
  const std::string name = lower_ascii(line.substr(0, colon));
  const std::string_view text = trim_blanks(line.substr(colon + 1));
  if (name == "content-type") {
    part.content_type = text;
  } else if (name == "content-transfer-encoding") {
    const std::string encoding = lower_ascii(text);
    if (encoding != "binary" && encoding != "8bit" && encoding != "7bit") {
      fail(kWhere, "Content-Transfer-Encoding: expected binary, found \"{}\"", printable(text));
    }
  } else if (name == "content-disposition") {
    if (has_disposition) fail(kWhere, "Content-Disposition stands twice in a part");
    has_disposition = true;
    const HeaderValue value = read_value(text, "Content-Disposition");
    if (value.value != "form-data") {
      fail(kWhere, "Content-Disposition: expected form-data, found \"{}\"", printable(value.value));
    }
    part.name = plain_name(value.get("name").value_or(""));
    if (const auto filename = value.get("filename")) part.filename = plain_name(*filename);
  }
}

// Takes the headers of a part, and the empty line behind them, from the front of `body`.
FormPart take_headers(std::string_view& body, const FormLimits& limits) {
  FormPart part;
  bool has_disposition = false;
  size_t left = limits.header_bytes;
  for (;;) {
    const size_t end = body.substr(0, std::min(body.size(), left)).find(kLineBreak);
    if (end == std::string_view::npos) {
      if (body.size() >= left) {
        fail(kWhere, "expected at most {} bytes of headers of a part", limits.header_bytes);
      }
      fail(kWhere, "the body ends within the headers of a part");
    }
    const std::string_view line = body.substr(0, end);
    body.remove_prefix(end + kLineBreak.size());
    left -= end + kLineBreak.size();
    if (line.empty()) break;
    read_header(line, part, has_disposition);
  }
  if (part.name.empty()) fail(kWhere, "expected a part with a name in its Content-Disposition");
  return part;
}

// Takes what follows a boundary: true if another part begins, false if the form has ended.
bool take_boundary_end(std::string_view& body) {
  if (body.starts_with("--")) {
    body.remove_prefix(2);
    if (!body.empty() && body != kLineBreak) {
      fail(kWhere, "expected nothing behind the last boundary, found {} bytes", body.size());
    }
    return false;
  }
  const size_t blanks = std::min(body.find_first_not_of(" \t"), body.size());
  body.remove_prefix(blanks);
  if (!body.starts_with(kLineBreak)) {
    fail(kWhere, "expected a line break behind a boundary, found \"{}\"", printable(body));
  }
  body.remove_prefix(kLineBreak.size());
  return true;
}

}  // namespace

std::vector<FormPart> read_form(std::string_view content_type, std::string_view body,
                                const FormLimits& limits) {
  const std::string first = "--" + boundary_of(content_type);
  const std::string delimiter = std::string(kLineBreak) + first;
  if (!body.starts_with(first)) {
    fail(kWhere, "expected the boundary \"{}\" at the begin of the body", printable(first));
  }
  body.remove_prefix(first.size());
  std::vector<FormPart> parts;
  while (take_boundary_end(body)) {
    if (parts.size() == limits.parts) fail(kWhere, "expected at most {} parts", limits.parts);
    FormPart part = take_headers(body, limits);
    const size_t end = body.find(delimiter);
    if (end == std::string_view::npos) {
      fail(kWhere, "the body ends within the part \"{}\"", printable(part.name));
    }
    part.content = body.substr(0, end);
    body.remove_prefix(end + delimiter.size());
    parts.push_back(std::move(part));
  }
  return parts;
}

}  // namespace minke
