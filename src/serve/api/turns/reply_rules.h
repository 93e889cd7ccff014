#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "serve/api/turn.h"
#include "serve/api/turns/reply_vocabulary.h"
#include "text/chat/chat.h"
#include "text/grammar/grammar.h"

namespace minke {

// What a request asks of its replies, compiled: the choices of a request share it. Immutable.
struct ReplyRules {
  std::shared_ptr<const ReplyVocabulary> vocabulary;
  std::vector<int32_t> stop_ids;
  bool starts_in_thinking = false;
  int64_t min_tokens = 0;    // no stop token before so many others, unless nothing else may follow
  bool ignore_stop = false;  // as if there were no end to min_tokens

  // A reply is a text of one of the first two, where they are not null. Otherwise it is free, and
  // `inside` holds for what stands behind each marker that begins a call.
  std::shared_ptr<const Grammar> format, calls;
  bool format_is_json = false;
  std::shared_ptr<const Grammar> inside;
};

// What rules are made of.
struct ReplyParts {
  const ChatRenderer* renderer = nullptr;
  std::shared_ptr<const ReplyVocabulary> vocabulary;
  std::vector<int32_t> stop_ids;
  bool starts_in_thinking = false;
};

// Null if the request asks for nothing. All grammars of the request are compiled within `limits`
// together. Throws ApiFailure for schemas that cannot be kept to.
std::shared_ptr<const ReplyRules> reply_rules(const ReplyParts& parts, const TurnRequest& request,
                                              const GrammarLimits& limits = {});

}  // namespace minke
