#pragma once

#include <string>
#include <string_view>

#include "serve/http/server.h"

namespace minke {

// A file of the page: its content as it is sent.
struct PageFile {
  std::string path;  // "/", "/assets/index-1a2b.js"
  std::string content_type;
  std::string encoding;  // "gzip" or ""
  std::string_view content;
};

// A strong ETag, of the content as it is sent.
std::string page_tag(const PageFile& file);

// `file`, or 304 if the request's If-None-Match has `tag`.
HttpResponse page_answer(const PageFile& file, const std::string& tag, const HttpRequest& request);

}  // namespace minke
