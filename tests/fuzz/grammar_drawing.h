#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/check.h"
#include "text/grammar/grammar_constraint.h"

namespace minke {

// Limits that let a fuzzer try many inputs.
inline GrammarLimits fuzz_limits() {
  return {8192, 32, 20'000, 1'000'000};
}

// The token that ends a text in drawing_trie().
inline constexpr int32_t kDrawingStop = 256;

inline std::shared_ptr<const TokenTrie> drawing_trie() {
  static const auto trie = [] {
    std::vector<std::string> tokens;
    for (int byte = 0; byte < 256; ++byte) tokens.emplace_back(1, static_cast<char>(byte));
    tokens.emplace_back();
    for (const char* text : {"{\"", "\":", ",\"", "\"}", "\"a\":1", "true", "null", "12", "ab",
                             "\\u00", "\xe4\xb8", "}]", "\n  ", "\"a\":1,\"a\":"}) {
      tokens.emplace_back(text);
    }
    return std::make_shared<const TokenTrie>(tokens);
  }();
  return trie;
}

// Draws tokens that `choices` picks among those that are allowed. Returns the text if a stop token
// was drawn, "" if it was not.
inline std::string draw(const std::shared_ptr<const Grammar>& grammar, std::string_view choices) {
  GrammarConstraint constraint(grammar, drawing_trie(), {kDrawingStop});
  std::string text;
  std::vector<int32_t> allowed;
  for (const char choice : choices) {
    std::vector<uint64_t> bits(drawing_trie()->words());
    constraint.allowed(bits);
    allowed.clear();
    for (int32_t id = 0; id < drawing_trie()->size(); ++id) {
      if ((bits[static_cast<size_t>(id) / 64] >> (id % 64) & 1) != 0) allowed.push_back(id);
    }
    CHECK(!allowed.empty());
    const auto index = static_cast<unsigned char>(choice) % allowed.size();
    // A stop token is taken as soon as it is picked, or by any choice of 255.
    const bool stops = choice == '\xff' && std::count(allowed.begin(), allowed.end(), kDrawingStop);
    const int32_t id = stops ? kDrawingStop : allowed[index];
    constraint.accept(id);
    if (id == kDrawingStop) return text;
    text += drawing_trie()->bytes(id);
  }
  return "";
}

}  // namespace minke
