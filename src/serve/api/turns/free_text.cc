#include "serve/api/turns/free_text.h"

#include <algorithm>

namespace minke {

void FreeText::allowed(std::span<uint64_t> bits, const Takes& takes) const {
  std::fill(bits.begin(), bits.end(), ~uint64_t{0});
  const auto forbid_unless_taken = [&](int32_t id, std::string_view rest) {
    if (rest.empty() || takes(rest)) return;
    bits[static_cast<size_t>(id) / 64] &= ~(uint64_t{1} << (id % 64));
  };
  const TokenTrie& trie = vocabulary_->trie;
  for (const std::string_view end : vocabulary_->markers.completions(tail_, ends_)) {
    const uint32_t node = trie.find(end);
    if (node == 0) continue;
    for (const int32_t id : trie.ids_below(node)) {
      forbid_unless_taken(id, trie.bytes(id).substr(end.size()));
    }
  }
  for (const int32_t id : vocabulary_->odd_tokens) {
    FreeText copy = *this;
    if (const auto rest = copy.accept(id)) forbid_unless_taken(id, *rest);
  }
}

std::optional<std::string_view> FreeText::accept(int32_t id) {
  const auto marker = vocabulary_->markers.of(id);
  if (!marker) return accept_text(vocabulary_->tokenizer.bytes(id));
  tail_.clear();
  if ((ends_ & marker_set(*marker)) == 0) return std::nullopt;
  return std::string_view();
}

std::optional<std::string_view> FreeText::accept_text(std::string_view text) {
  tail_ += text;
  if (const auto found = vocabulary_->markers.find(tail_, ends_)) {
    const size_t behind = tail_.size() - found->end;
    tail_.clear();
    return text.substr(text.size() - behind);
  }
  tail_.erase(0, tail_.size() - vocabulary_->markers.unfinished(tail_, ends_));
  return std::nullopt;
}

}  // namespace minke
