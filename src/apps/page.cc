#include "apps/page.h"

namespace minke {

// Made by cmake/page.cmake of the files in web/dist.
std::vector<PageFile> built_page();

std::vector<PageFile> page_files() {
  std::vector<PageFile> files = built_page();
  if (!files.empty()) return files;
  constexpr std::string_view kNoPage =
      "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Minke</title>"
      "<p>Minke is serving. This program was built without web/dist, the files of its page. "
      "The API is at /v1.</p></html>";
  return {{"/", "text/html; charset=utf-8", kNoPage, ""}};
}

}  // namespace minke
