#include "text/grammar/name_guard.h"

#include <algorithm>

namespace minke {

void NameGuard::add(std::string_view text) {
  for (const char c : text) {
    if (place_.in_string) {
      const bool ends = c == '"' && !place_.escaped;
      place_.escaped = c == '\\' && !place_.escaped;
      if (!ends) {
        if (place_.in_name) name_ += c;
        continue;
      }
      if (place_.in_name) levels_.back().names.push_back(name_);
      place_ = {};
      name_.clear();
    } else if (c == '"') {
      place_.in_string = true;
      place_.in_name = !levels_.empty() && levels_.back().name_next;
      if (place_.in_name) levels_.back().name_next = false;
    } else if (c == '{' || c == '[') {
      levels_.push_back({c == '{', c == '{', {}});
    } else if ((c == '}' || c == ']') && !levels_.empty()) {
      levels_.pop_back();
    } else if (c == ',' && !levels_.empty()) {
      levels_.back().name_next = levels_.back().object;
    }
  }
}

void NameGuard::forbid(const TokenTrie& trie, std::span<uint64_t> bits) const {
  if (place_.in_name) {
    for (const std::string& used : levels_.back().names) {
      if (!used.starts_with(name_)) continue;
      const uint32_t node = trie.find(used.substr(name_.size()) + '"');
      if (node != 0) trie.clear_below(node, bits);
    }
  }
  for (const int32_t id : trie.quoting()) {
    uint64_t& word = bits[static_cast<size_t>(id) / 64];
    const uint64_t bit = uint64_t{1} << (id % 64);
    if ((word & bit) != 0 && repeats(trie.bytes(id))) word &= ~bit;
  }
}

// Whether `token` ends two names, or one that its object has. Levels that it opens are new, so that
// a first name there is no repetition.
bool NameGuard::repeats(std::string_view token) const {
  Place place = place_;
  std::string name = name_;
  size_t outer = levels_.size();  // levels of levels_ that are still open
  std::vector<bool> inner;        // those that the token opens: whether they are objects
  bool name_next = !levels_.empty() && levels_.back().name_next;
  int names = 0;
  for (const char c : token) {
    if (place.in_string) {
      const bool ends = c == '"' && !place.escaped;
      place.escaped = c == '\\' && !place.escaped;
      if (!ends) {
        if (place.in_name) name += c;
        continue;
      }
      if (place.in_name) {
        if (++names > 1) return true;
        if (inner.empty()) {
          const std::vector<std::string>& used = levels_[outer - 1].names;
          if (std::find(used.begin(), used.end(), name) != used.end()) return true;
        }
      }
      place = {};
      name.clear();
    } else if (c == '"') {
      place = {true, name_next, false};
      name_next = false;
    } else if (c == '{' || c == '[') {
      inner.push_back(c == '{');
      name_next = c == '{';
    } else if (c == '}' || c == ']') {
      if (!inner.empty()) {
        inner.pop_back();
      } else if (outer > 0) {
        --outer;
      }
      name_next = false;
    } else if (c == ',') {
      name_next = inner.empty() ? outer > 0 && levels_[outer - 1].object : inner.back();
    }
  }
  return false;
}

}  // namespace minke
