#pragma once

// For tests: a reply that keeps what is sent, and runners that play a script.

#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "serve/api/openai/wire.h"
#include "serve/api/turn.h"
#include "serve/http/server.h"

namespace minke {

class FakeReply : public HttpReply {
 public:
  void send(HttpResponse response) override {
    if (head) throw std::logic_error("a second answer");
    head = std::move(response);
    ended = true;
  }
  void begin_stream(HttpResponse response) override {
    if (head) throw std::logic_error("a second answer");
    head = std::move(response);
    streams = true;
  }
  void write(std::string bytes) override {
    if (!streams || ended) throw std::logic_error("a piece outside a stream");
    body += bytes;
  }
  void end() override { ended = true; }
  void on_gone(std::function<void()> callback) override { gone = std::move(callback); }

  std::string header(std::string_view name) const {
    for (const auto& [key, value] : head.value().headers) {
      if (key == name) return value;
    }
    return {};
  }
  nlohmann::json json() const { return nlohmann::json::parse(head.value().body); }
  // The data of the events of a stream; it holds nothing else.
  std::vector<std::string> events() const {
    std::vector<std::string> events;
    for (size_t at = 0; at < body.size();) {
      const size_t end = body.find("\n\n", at);
      if (body.compare(at, 6, "data: ") != 0 || end == std::string::npos) {
        throw std::logic_error("no event: " + body.substr(at));
      }
      events.push_back(body.substr(at + 6, end - at - 6));
      at = end + 2;
    }
    return events;
  }

  std::optional<HttpResponse> head;
  std::string body;
  bool streams = false, ended = false;
  std::function<void()> gone;
};

struct FakeHandle : TurnHandle {
  void cancel() override { ++cancelled; }
  int cancelled = 0;
};

// Keeps the request and the listener; `script` speaks within start().
class FakeRunner : public TurnRunner {
 public:
  std::shared_ptr<TurnHandle> start(TurnRequest turn,
                                    std::shared_ptr<TurnListener> listening) override {
    if (failure) throw ApiFailure(*failure);
    request = std::move(turn);
    listener = listening;
    if (script) script(*listening);
    return handle;
  }
  int64_t count_tokens(const TurnRequest&) override { return 7; }
  std::string model_name() const override { return "minke-test"; }
  int64_t context() const override { return 64; }

  std::optional<ApiError> failure;
  std::function<void(TurnListener&)> script;
  TurnRequest request;
  std::weak_ptr<TurnListener> listener;
  std::shared_ptr<FakeHandle> handle = std::make_shared<FakeHandle>();
};

inline OpenAiOptions fake_options() {
  OpenAiOptions options;
  options.fingerprint = "fp_test";
  options.sources.random = [number = uint64_t{41}]() mutable { return ++number; };
  options.sources.now = [] { return int64_t{1700000000}; };
  return options;
}

inline HttpRequest post(std::string body) {
  HttpRequest request;
  request.method = "POST";
  request.body = std::move(body);
  return request;
}

// The error that `read` throws; fails the caller's expectations if there is none.
template <typename Function>
ApiError error_of(const Function& read) {
  try {
    read();
  } catch (const ApiFailure& failure) {
    return failure.error();
  }
  ApiError none;
  none.status = 200;
  return none;
}

}  // namespace minke
