#pragma once

#include <vector>

#include "serve/api/service.h"

namespace minke {

// The files of the web page that was built into the program; a page that says so if none was.
std::vector<PageFile> page_files();

}  // namespace minke
