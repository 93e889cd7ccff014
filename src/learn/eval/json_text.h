#pragma once

#include <string_view>

#include "text/tokenizer/json_node.h"

namespace minke {

// The member `key` of an object. Throws Error unless it is a text of at least one character.
inline std::string_view text_of(const JsonNode& root, std::string_view key) {
  const JsonNode node = root.need(key);
  if (node.string().empty()) node.expected("a text of at least one character");
  return node.string();
}

}  // namespace minke
