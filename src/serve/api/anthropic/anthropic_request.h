#pragma once

#include <string>
#include <string_view>

#include "serve/api/anthropic/thinking_signature.h"
#include "serve/api/request_reader.h"
#include "serve/api/turn.h"

namespace minke {

// The body of POST /v1/messages. What is honoured, ignored and refused: docs/api-messages.md.
struct AnthropicRequest {
  TurnRequest turn;  // without an owner
  bool has_seed = false;
  bool stream = false;
  std::string user;       // metadata.user_id
  IgnoredFields ignored;  // fields that have no effect
};

// kCount: of POST /v1/messages/count_tokens, which needs no max_tokens.
enum class AnthropicPurpose { kReply, kCount };

// Throws ApiFailure. Of the thinking in the history only what `signature` fits is kept.
AnthropicRequest read_anthropic_request(std::string_view body, const ThinkingSignature& signature,
                                        AnthropicPurpose purpose);

}  // namespace minke
