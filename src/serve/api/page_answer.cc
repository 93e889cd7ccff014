#include "serve/api/page_answer.h"

#include <algorithm>

#include <fmt/core.h>

#include "serve/access/hash.h"
#include "serve/http/http_text.h"

namespace minke {
namespace {

constexpr size_t kTagDigits = 32;

// Takes what stands before the next separator off the list, without blanks around it.
std::string_view take_item(std::string_view& list, char separator) {
  const size_t end = std::min(list.find(separator), list.size());
  const std::string_view item = trim_blanks(list.substr(0, end));
  list.remove_prefix(std::min(end + 1, list.size()));
  return item;
}

// RFC 9110, 12.5.3: a list of encodings, each perhaps with a weight, of which 0 refuses it; "*"
// stands for those that are not in the list. Who sends none gets plain text, which all can read.
bool takes_gzip(std::string_view list) {
  bool any = false;
  while (!list.empty()) {
    std::string_view item = take_item(list, ',');
    const std::string name = lower_ascii(take_item(item, ';'));
    const std::string weight = lower_ascii(trim_blanks(item));
    const bool refused =
        weight.starts_with("q=0") && weight.find_first_not_of("0.", 2) == std::string_view::npos;
    if (name == "gzip" || name == "x-gzip") return !refused;
    if (name == "*") any = !refused;
  }
  return any;
}

// RFC 9110, 13.1.2: a list of tags that are compared without their W/, or "*". The tags of pages
// have no commas.
bool has_tag(std::string_view list, std::string_view tag) {
  while (!list.empty()) {
    std::string_view one = take_item(list, ',');
    if (one.starts_with("W/")) one.remove_prefix(2);
    if (one == "*" || one == tag) return true;
  }
  return false;
}

}  // namespace

std::string page_tag(const PageFile& file) {
  return sha256_hex(file.content).substr(0, kTagDigits);
}

HttpResponse page_answer(const PageFile& file, const std::string& tag, const HttpRequest& request) {
  const bool gzip = !file.gzipped.empty() && takes_gzip(request.header("accept-encoding"));
  const std::string sent_tag = fmt::format("\"{}{}\"", tag, gzip ? "-gzip" : "");
  HttpResponse response;
  response.headers = {{"Content-Security-Policy",
                       "default-src 'self'; img-src 'self' data:; base-uri 'none'; "
                       "form-action 'none'; frame-ancestors 'none'"},
                      {"X-Content-Type-Options", "nosniff"},
                      {"Referrer-Policy", "no-referrer"},
                      {"Cache-Control", "no-cache"},
                      {"Vary", "Accept-Encoding"},
                      {"ETag", sent_tag}};
  if (has_tag(request.header("if-none-match"), sent_tag)) {
    response.status = 304;
    response.content_type.clear();
    return response;
  }
  response.content_type = file.content_type;
  if (gzip) response.headers.emplace_back("Content-Encoding", "gzip");
  response.body = std::string(gzip ? file.gzipped : file.content);
  return response;
}

}  // namespace minke
