#pragma once

#include <memory>
#include <string_view>

#include "serve/api/openai/wire.h"
#include "serve/api/turn.h"
#include "serve/http/server.h"

namespace minke {

// POST /v1/chat/completions. Thread-safe.
class OpenAiChat {
 public:
  // `runner` must outlive it.
  OpenAiChat(TurnRunner& runner, OpenAiOptions options);

  // Answers, now or as the turn goes on; also all errors. `caller`: see read_chat_request().
  void answer(const HttpRequest& request, const std::shared_ptr<HttpReply>& reply,
              std::string_view caller) const;

 private:
  TurnRunner* runner_;
  OpenAiOptions options_;
};

}  // namespace minke
