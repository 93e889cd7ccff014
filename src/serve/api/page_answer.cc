#include "serve/api/page_answer.h"

#include <algorithm>

#include <fmt/core.h>

#include "serve/access/hash.h"
#include "serve/http/http_text.h"

namespace minke {
namespace {

constexpr size_t kTagDigits = 32;

// RFC 9110, 13.1.2: a list of tags that are compared without their W/, or "*". The tags of pages
// have no commas.
bool has_tag(std::string_view list, std::string_view tag) {
  while (!list.empty()) {
    const size_t comma = std::min(list.find(','), list.size());
    std::string_view one = trim_blanks(list.substr(0, comma));
    if (one.starts_with("W/")) one.remove_prefix(2);
    if (one == "*" || one == tag) return true;
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return false;
}

}  // namespace

std::string page_tag(const PageFile& file) {
  return fmt::format("\"{}\"", sha256_hex(file.content).substr(0, kTagDigits));
}

HttpResponse page_answer(const PageFile& file, const std::string& tag, const HttpRequest& request) {
  HttpResponse response;
  response.headers = {{"Content-Security-Policy",
                       "default-src 'self'; img-src 'self' data:; base-uri 'none'; "
                       "form-action 'none'; frame-ancestors 'none'"},
                      {"X-Content-Type-Options", "nosniff"},
                      {"Referrer-Policy", "no-referrer"},
                      {"Cache-Control", "no-cache"},
                      {"ETag", tag}};
  if (has_tag(request.header("if-none-match"), tag)) {
    response.status = 304;
    response.content_type.clear();
    return response;
  }
  response.content_type = file.content_type;
  if (!file.encoding.empty()) response.headers.emplace_back("Content-Encoding", file.encoding);
  response.body = std::string(file.content);
  return response;
}

}  // namespace minke
