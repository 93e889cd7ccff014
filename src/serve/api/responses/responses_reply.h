#pragma once

#include <memory>
#include <string_view>

#include "serve/api/wire_reply.h"

namespace minke {

// POST /v1/responses as OpenAI's clients speak it, described in docs/api-responses.md. Every
// write() to a streamed reply is a run of whole events, so that others may put comments between
// them. Its functions may be called from any thread, and do not throw.
class ResponsesApi {
 public:
  // `runner` must outlive it.
  ResponsesApi(TurnRunner& runner, WireSources sources)
      : runner_(runner), sources_(std::move(sources)) {}

  // `key` names the caller; see TurnRequest::owner.
  void responses(const HttpRequest& request, const std::shared_ptr<HttpReply>& reply,
                 std::string_view key) const;

 private:
  TurnRunner& runner_;
  WireSources sources_;
};

}  // namespace minke
