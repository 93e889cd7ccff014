#include "text/grammar/token_trie.h"

#include <algorithm>
#include <utility>

#include "base/core/check.h"
#include "base/core/utf8.h"
#include "text/tokenizer/added_tokens.h"

namespace minke {
namespace {

// Longer ones are never drawn: they are runs of one character, and each can be drawn in parts.
constexpr size_t kLongestToken = 1024;

std::vector<std::string> texts_of(const Tokenizer& tokenizer, std::span<const int32_t> marks) {
  CHECK(marks.size() <= TokenTrie::kMostMarks);
  std::vector<std::string> out(static_cast<size_t>(tokenizer.size()));
  for (int32_t id = 0; id < tokenizer.size(); ++id) {
    if (!tokenizer.is_special(id)) out[static_cast<size_t>(id)] = tokenizer.bytes(id);
  }
  for (const AddedToken& token : tokenizer.spec().added) {
    if (token.special || is_marker(token)) out[static_cast<size_t>(token.id)].clear();
  }
  if (marks.empty()) return out;
  for (std::string& text : out) {
    const bool has_mark = std::any_of(text.begin(), text.end(), [](char c) {
      return static_cast<uint8_t>(c) >= TokenTrie::kFirstMark;
    });
    if (has_mark) text.clear();
  }
  for (size_t k = 0; k < marks.size(); ++k) {
    out[static_cast<size_t>(marks[k])] = static_cast<char>(TokenTrie::kFirstMark + k);
  }
  return out;
}

// The level of a token: how many plain characters it is, kLevels if it is anything else.
uint8_t level_of(std::string_view text) {
  int count = 0;
  while (!text.empty()) {
    const size_t length = utf8_sequence_length(text);
    const auto byte = static_cast<unsigned char>(text.front());
    if (length == 0 || byte < 0x20 || byte == '"' || byte == '\\') return TokenTrie::kLevels;
    text.remove_prefix(length);
    ++count;
  }
  return static_cast<uint8_t>(std::min<int>(count - 1, TokenTrie::kLevels));
}

void set_bit(std::vector<uint64_t>& bits, int32_t id) {
  bits[static_cast<size_t>(id) / 64] |= uint64_t{1} << (id % 64);
}

}  // namespace

TokenTrie::TokenTrie(const Tokenizer& tokenizer, std::span<const int32_t> marks)
    : TokenTrie(texts_of(tokenizer, marks)) {}

TokenTrie::TokenTrie(std::span<const std::string> tokens)
    : size_(static_cast<int32_t>(tokens.size())) {
  for (const std::string& token : tokens) {
    const bool drawn = token.size() <= kLongestToken;
    spans_.emplace_back(text_.size(), drawn ? token.size() : 0);
    if (drawn) text_ += token;
  }
  std::vector<std::pair<std::string_view, int32_t>> sorted;
  for (int32_t id = 0; id < size_; ++id) {
    const std::string_view text = bytes(id);
    if (text.empty()) continue;
    sorted.emplace_back(text, id);
    longest_ = std::max(longest_, text.size());
    if (text.size() == 1) single_bytes_.set(static_cast<unsigned char>(text.front()));
    if (std::count(text.begin(), text.end(), '"') >= 2) quoting_.push_back(id);
  }
  std::sort(sorted.begin(), sorted.end());
  build(std::move(sorted));
  add_levels();
}

// In sorted order the tokens below a node follow one another, and the nodes on the way to a token
// that the token before it has not made are new.
void TokenTrie::build(std::vector<std::pair<std::string_view, int32_t>> tokens) {
  nodes_.emplace_back();
  std::vector<uint32_t> path{0};
  std::string_view last;
  const auto close = [&](size_t depth) {
    for (; path.size() > depth + 1; path.pop_back()) {
      nodes_[path.back()].end = static_cast<uint32_t>(nodes_.size());
    }
  };
  for (const auto& [text, id] : tokens) {
    const auto same = static_cast<size_t>(
        std::mismatch(text.begin(), text.end(), last.begin(), last.end()).first - text.begin());
    close(same);
    for (size_t i = same; i < text.size(); ++i) {
      path.push_back(static_cast<uint32_t>(nodes_.size()));
      nodes_.push_back({0, static_cast<uint32_t>(ids_.size()), static_cast<uint16_t>(i + 1),
                        static_cast<uint8_t>(text[i]), 0});
    }
    ids_.push_back(id);
    last = text;
  }
  close(0);
  const auto count = static_cast<uint32_t>(nodes_.size());
  nodes_[0].end = count;
  nodes_.push_back({count, static_cast<uint32_t>(ids_.size()), 0, 0, 0});
}

void TokenTrie::add_levels() {
  const size_t words = (static_cast<size_t>(size_) + 63) / 64;
  slices_.fill(std::vector<uint64_t>(words));
  std::vector<uint32_t> parents;
  // Behind its last descendant a node gives its level to the one above it.
  for (uint32_t i = 0; i + 1 < nodes_.size(); ++i) {
    if (nodes_[i + 1].first_id != nodes_[i].first_id) {
      const int32_t id = ids_[nodes_[i].first_id];
      nodes_[i].level = level_of(bytes(id));
      for (uint32_t k = nodes_[i].first_id; k < nodes_[i + 1].first_id; ++k) {
        for (size_t level = nodes_[i].level; level < kLevels; ++level) {
          set_bit(slices_[level], ids_[k]);
        }
      }
    }
    parents.push_back(i);
    while (!parents.empty() && nodes_[parents.back()].end == i + 1) {
      const uint8_t level = nodes_[parents.back()].level;
      parents.pop_back();
      if (!parents.empty()) {
        uint8_t& above = nodes_[parents.back()].level;
        above = std::max(above, level);
      }
    }
  }
}

std::string_view TokenTrie::bytes(int32_t id) const {
  const auto [offset, length] = spans_[static_cast<size_t>(id)];
  return std::string_view(text_).substr(offset, length);
}

uint32_t TokenTrie::find(std::string_view text) const {
  uint32_t node = 0;
  for (const char c : text) {
    const uint32_t end = nodes_[node].end;
    uint32_t child = node + 1;
    while (child < end && nodes_[child].byte != static_cast<uint8_t>(c)) child = nodes_[child].end;
    if (child >= end) return 0;
    node = child;
  }
  return node;
}

void TokenTrie::clear_below(uint32_t node, std::span<uint64_t> bits) const {
  for (const int32_t id : ids_below(node)) {
    bits[static_cast<size_t>(id) / 64] &= ~(uint64_t{1} << (id % 64));
  }
}

}  // namespace minke
