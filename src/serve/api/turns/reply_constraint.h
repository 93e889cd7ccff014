#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "serve/api/turn.h"
#include "text/chat/chat.h"
#include "text/grammar/token_constraint.h"
#include "text/grammar/token_trie.h"

namespace minke {

// What constraints are made of.
struct ConstraintParts {
  const Tokenizer* tokenizer = nullptr;
  const ChatRenderer* renderer = nullptr;
  std::shared_ptr<const TokenTrie> trie;
  const std::vector<int32_t>* stop_ids = nullptr;
  bool starts_in_thinking = false;
};

// What keeps a reply to the format, the tool or the schemas that a request asks for; null if it
// asks for none. Thinking is free, and cannot end the reply. Throws ApiFailure for schemas that
// cannot be kept to.
std::shared_ptr<TokenConstraint> reply_constraint(const ConstraintParts& parts,
                                                  const TurnRequest& request);

}  // namespace minke
