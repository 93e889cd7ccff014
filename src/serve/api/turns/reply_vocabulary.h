#pragma once

#include <cstdint>
#include <vector>

#include "text/chat/chat.h"
#include "text/chat/markers.h"
#include "text/grammar/token_trie.h"

namespace minke {

// A vocabulary as the constraints of all replies of a model see it: its texts, and the markers that
// divide a reply. Immutable and safe to share between threads.
struct ReplyVocabulary {
  // Both must outlive it.
  ReplyVocabulary(const Tokenizer& tokenizer, const ChatRenderer& renderer);

  const Tokenizer& tokenizer;
  const Markers markers;
  // The markers of calls that are tokens are its marks.
  const TokenTrie trie;
  // Tokens in which a whole marker is spelled, and those that go on behind the end of one and that
  // the trie leaves out.
  const std::vector<int32_t> odd_tokens;
};

}  // namespace minke
