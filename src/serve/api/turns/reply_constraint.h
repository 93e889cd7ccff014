#pragma once

#include <memory>

#include "serve/api/turns/reply_rules.h"
#include "text/grammar/token_constraint.h"

namespace minke {

// Keeps one reply to `rules`, which must not be null. Thinking is free, and cannot end the reply.
// Throws Error if the vocabulary cannot write what the rules ask for.
std::unique_ptr<TokenConstraint> reply_constraint(std::shared_ptr<const ReplyRules> rules);

}  // namespace minke
