#pragma once

// For tests only.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "text/grammar/recognizer.h"
#include "text/grammar/token_trie.h"

namespace minke::testing {

inline bool accepts(const std::shared_ptr<const Grammar>& grammar, std::string_view text) {
  Recognizer recognizer(grammar, ByteSet().set());
  Recognizer::Config config = recognizer.start();
  for (const char c : text) {
    config = recognizer.step(config, static_cast<uint8_t>(c));
    if (config == Recognizer::kDead) return false;
  }
  return recognizer.can_end(config);
}

// All bytes, then `more`, then a token that ends texts, which stands for no text.
inline std::vector<std::string> vocabulary(std::vector<std::string> more) {
  std::vector<std::string> out;
  for (int byte = 0; byte < 256; ++byte) out.emplace_back(1, static_cast<char>(byte));
  out.insert(out.end(), more.begin(), more.end());
  out.emplace_back();
  return out;
}

}  // namespace minke::testing
