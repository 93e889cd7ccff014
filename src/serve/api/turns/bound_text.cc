#include "serve/api/turns/bound_text.h"

#include <algorithm>
#include <utility>

namespace minke {
namespace {

uint64_t& word_of(std::span<uint64_t> bits, int32_t id) {
  return bits[static_cast<size_t>(id) / 64];
}

uint64_t bit_of(int32_t id) {
  return uint64_t{1} << (id % 64);
}

// Whether a text ends within a string of JSON.
void follow_strings(std::string_view text, bool& in_string, bool& escaped) {
  for (const char c : text) {
    const bool quote = c == '"' && !escaped;
    escaped = in_string && c == '\\' && !escaped;
    if (quote) in_string = !in_string;
  }
}

}  // namespace

BoundText::BoundText(std::shared_ptr<const Grammar> grammar,
                     const std::shared_ptr<const ReplyVocabulary>& vocabulary,
                     const std::vector<int32_t>& stop_ids, Plain plain)
    : vocabulary_(vocabulary),
      grammar_(std::move(grammar), std::shared_ptr<const TokenTrie>(vocabulary, &vocabulary->trie),
               stop_ids),
      plain_(plain) {}

void BoundText::allowed(std::span<uint64_t> bits) {
  grammar_.allowed(bits);
  forbid_forgery(bits);
}

void BoundText::accept(int32_t id) {
  grammar_.accept(id);
  follow(vocabulary_->trie.bytes(id));
}

void BoundText::accept_text(std::string_view text) {
  grammar_.accept_text(text);
  follow(text);
}

void BoundText::restart() {
  grammar_.restart();
  tail_.clear();
  in_string_ = escaped_ = false;
}

void BoundText::follow(std::string_view text) {
  tail_ += text;
  tail_.erase(0, tail_.size() - vocabulary_->markers.unfinished(tail_, kCallMarkers));
  follow_strings(text, in_string_, escaped_);
}

void BoundText::forbid_forgery(std::span<uint64_t> bits) {
  const TokenTrie& trie = vocabulary_->trie;
  forged_.clear();
  const auto add = [&](int32_t id) {
    if ((word_of(bits, id) & bit_of(id)) != 0) forged_.push_back(id);
  };
  if (is_plain() && !tail_.empty()) {
    for (const std::string_view end : vocabulary_->markers.completions(tail_, kCallMarkers)) {
      const uint32_t node = trie.find(end);
      if (node == 0) continue;
      for (const int32_t id : trie.ids_below(node)) add(id);
    }
  }
  for (const int32_t id : vocabulary_->odd_tokens) {
    if (forges(trie.bytes(id))) add(id);
  }
  if (forged_.empty()) return;
  for (const int32_t id : forged_) word_of(bits, id) &= ~bit_of(id);
  // A grammar may ask for the spelling of a marker and for nothing else.
  const auto none = [](uint64_t word) { return word == 0; };
  if (!std::all_of(bits.begin(), bits.end(), none)) return;
  for (const int32_t id : forged_) word_of(bits, id) |= bit_of(id);
}

// Whether a marker is spelled where the text is plain.
bool BoundText::forges(std::string_view token) const {
  bool in_string = in_string_, escaped = escaped_;
  while (const auto found = vocabulary_->markers.find(token, kCallMarkers)) {
    follow_strings(token.substr(0, found->begin), in_string, escaped);
    if (plain_ == Plain::kEverywhere || in_string) return true;
    token.remove_prefix(found->end);
  }
  return false;
}

}  // namespace minke
