#include "apps/page.h"

namespace minke {

// Made by cmake/page.cmake of the files in web/dist.
std::vector<PageFile> built_page();

std::vector<PageFile> page_files() {
  std::vector<PageFile> files = built_page();
  if (!files.empty()) return files;
  constexpr std::string_view kNoPage =
      "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Minke</title>"
      "<p>Minke is serving. The page was not built into this program: it needs npm "
      "(see web/README.md). The API is at /v1.</p></html>";
  return {{"/", "text/html; charset=utf-8", kNoPage, ""}};
}

}  // namespace minke
