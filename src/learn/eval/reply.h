#pragma once

#include <cstdint>
#include <string>

namespace minke {

// A reply of a model, read.
struct Reply {
  std::string reasoning, content;
  int64_t tokens = 0;
  bool cut = false;  // by the limit of tokens or the end of the context
};

}  // namespace minke
