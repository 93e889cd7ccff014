#pragma once

#include <string>
#include <string_view>

#include "serve/http/server.h"

namespace minke {

// A file of the page.
struct PageFile {
  std::string path;  // "/", "/assets/index-1a2b.js"
  std::string content_type;
  std::string_view content;
  std::string_view gzipped;  // the same, compressed; "": there is none
};

// 32 hexadecimal digits that tell files of other content apart.
std::string page_tag(const PageFile& file);

// `file`, compressed for clients that say that they take it so; or 304 if the request's
// If-None-Match has the strong ETag that is made of `tag` for what would be sent.
HttpResponse page_answer(const PageFile& file, const std::string& tag, const HttpRequest& request);

}  // namespace minke
