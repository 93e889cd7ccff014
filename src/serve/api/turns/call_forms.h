#pragma once

#include "serve/api/turns/reply_vocabulary.h"
#include "text/grammar/call_grammar.h"

namespace minke {

// How a chat format writes calls, read off what its renderer makes of some.
struct CallForms {
  CallForm reply;   // of a reply that is nothing but calls
  CallForm inside;  // from behind the marker that begins a call to the one that ends it
};

CallForms call_forms(const ChatRenderer& renderer, const ReplyVocabulary& vocabulary);

}  // namespace minke
