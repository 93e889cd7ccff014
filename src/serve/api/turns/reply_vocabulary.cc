#include "serve/api/turns/reply_vocabulary.h"

#include "text/chat/formats.h"

namespace minke {
namespace {

std::vector<int32_t> call_ids(const Markers& markers) {
  std::vector<int32_t> ids;
  for (const Marker marker : {Marker::kCallsBegin, Marker::kCallsEnd, Marker::kCallBegin,
                              Marker::kCallSeparator, Marker::kCallEnd}) {
    if (const auto id = markers.id(marker)) ids.push_back(*id);
  }
  return ids;
}

// Whether a marker that was begun before `text` may end within it.
bool may_go_past_marker(std::string_view text, const Markers& markers) {
  for (size_t size = 1; size < text.size(); ++size) {
    if (markers.ends_spelled(text.substr(0, size))) return true;
  }
  return false;
}

std::vector<int32_t> find_odd_tokens(const Tokenizer& tokenizer, const Markers& markers,
                                     const TokenTrie& trie) {
  std::vector<int32_t> ids;
  for (int32_t id = 0; id < tokenizer.size(); ++id) {
    const std::string_view text = tokenizer.bytes(id);
    if (text.empty() || markers.of(id)) continue;
    const bool spells = markers.find(text, ~MarkerSet{0}).has_value();
    const bool left_out = trie.bytes(id).empty() && may_go_past_marker(text, markers);
    if (spells || left_out) ids.push_back(id);
  }
  return ids;
}

}  // namespace

ReplyVocabulary::ReplyVocabulary(const Tokenizer& tokens, const ChatRenderer& renderer)
    : tokenizer(tokens),
      markers(format_rules(renderer.chat_template().format), tokens),
      trie(tokens, call_ids(markers)),
      odd_tokens(find_odd_tokens(tokens, markers, trie)) {}

}  // namespace minke
