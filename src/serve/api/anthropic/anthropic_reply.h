#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "serve/api/anthropic/thinking_signature.h"
#include "serve/api/wire_reply.h"

namespace minke {

// What any error looks like to Anthropic's clients.
HttpResponse anthropic_error(const ApiError& error, const std::string& request_id);

// POST /v1/messages and /v1/messages/count_tokens as Anthropic's clients speak them, described in
// docs/api-messages.md. Every write() to a streamed reply is a run of whole events, so that others
// may put comments between them. Its functions may be called from any thread, and do not throw.
class AnthropicApi {
 public:
  // `runner` must outlive it.
  AnthropicApi(TurnRunner& runner, const ThinkingSignature& signature, WireSources sources)
      : runner_(runner), signature_(signature), sources_(std::move(sources)) {}

  // `key` names the caller; see TurnRequest::owner.
  void messages(const HttpRequest& request, const std::shared_ptr<HttpReply>& reply,
                std::string_view key) const;
  void count_tokens(const HttpRequest& request, const std::shared_ptr<HttpReply>& reply,
                    std::string_view key) const;

 private:
  HttpResponse error(const ApiError& error) const;

  TurnRunner& runner_;
  ThinkingSignature signature_;
  WireSources sources_;
};

}  // namespace minke
