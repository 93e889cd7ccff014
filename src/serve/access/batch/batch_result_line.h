#pragma once

#include <string>

#include "serve/access/batch/batch_objects.h"
#include "serve/access/batch/batch_table.h"

namespace minke {

// The line of an output or error file, with its line feed. `end`: how the batch has ended.
std::string batch_result_line(const std::string& batch, const BatchResult& result, BatchStatus end);

// The JSON text `body` without line feeds. Throws Error if it is none.
std::string one_line(const std::string& body);

}  // namespace minke
