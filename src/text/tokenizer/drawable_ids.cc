#include "text/tokenizer/drawable_ids.h"

namespace minke {

std::vector<bool> drawable_ids(const Tokenizer& tokenizer, int64_t vocab) {
  std::vector<bool> drawable(static_cast<size_t>(vocab));
  for (int32_t id = 0; id < tokenizer.size(); ++id) {
    drawable[static_cast<size_t>(id)] = tokenizer.is_token(id);
  }
  return drawable;
}

}  // namespace minke
