#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace minke {

// A text to train on. Each token but the first is predicted from those before it; the predictions
// of the tokens in [loss_begin, loss_end) count.
struct Document {
  std::vector<int32_t> tokens;  // at least two
  size_t loss_begin = 0, loss_end = 0;
  bool operator==(const Document&) const = default;
};

// Numbered documents without end. Document n is the same whenever it is asked for, so that where a
// run stands is a number. Immutable; safe to share between threads.
class DocumentSource {
 public:
  virtual ~DocumentSource() = default;
  virtual Document document(uint64_t n) const = 0;
};

}  // namespace minke
