#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "serve/access/metrics.h"
#include "serve/api/turn.h"
#include "serve/api/wire_reply.h"
#include "serve/http/server.h"

namespace minke {

// What the label `endpoint` of http_requests_total may say, besides "other".
std::vector<std::string> endpoint_names();
// The one of them that `path` belongs to: "/beta/chat/completions" and "/chat/completions" to
// "/v1/chat/completions", "/v1/files/7" to "/v1/files". "" if it belongs to none.
std::string_view endpoint_name(std::string_view path);

// What all answers to requests over HTTP have in common, whoever gives them: an id, errors in the
// shape that the path's clients know, and that each is counted once, before it goes out.
class Answers {
 public:
  // `metrics`: null: nothing is counted; else it must outlive all replies.
  Answers(Metrics* metrics, WireSources sources)
      : metrics_(metrics), sources_(std::move(sources)) {}

  std::string new_id() const;
  // In Anthropic's shape for its paths, with an id, else in OpenAI's.
  HttpResponse error(std::string_view path, const ApiError& error) const;
  // An answer to `head` that no reply carries.
  HttpResponse refused(const HttpRequest& head, HttpResponse response) const;
  // `reply` to a request for `path`, with the id `id`. If it is dropped without an answer, it says
  // so.
  std::shared_ptr<HttpReply> counted(std::shared_ptr<HttpReply> reply, std::string path,
                                     std::string id) const;

 private:
  class Counted;
  void count(std::string_view path, int status) const;

  Metrics* metrics_;
  WireSources sources_;
};

}  // namespace minke
