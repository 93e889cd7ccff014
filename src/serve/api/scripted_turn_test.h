#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "serve/api/wire_reply.h"

// The two ends of a wire format: a reply that keeps what it is sent, and a runner that plays what a
// test tells it.
namespace minke::scripted {

class Reply : public HttpReply {
 public:
  void send(HttpResponse response) override {
    EXPECT_FALSE(sent || head) << "a second answer";
    sent = std::move(response);
  }
  void begin_stream(HttpResponse response) override {
    EXPECT_FALSE(sent || head) << "a second answer";
    EXPECT_EQ(response.body, "");
    head = std::move(response);
  }
  void write(std::string bytes) override {
    EXPECT_TRUE(head && !ended) << "a write outside a stream";
    EXPECT_TRUE(bytes.ends_with("\n\n")) << "half an event: " << bytes;
    body += bytes;
  }
  void end() override {
    EXPECT_TRUE(head && !ended);
    ended = true;
  }
  void on_gone(std::function<void()> callback) override { gone = std::move(callback); }

  std::optional<HttpResponse> sent, head;
  std::string body;
  bool ended = false;
  std::function<void()> gone;
};

class Runner : public TurnRunner {
 public:
  std::shared_ptr<TurnHandle> start(TurnRequest wanted,
                                    std::shared_ptr<TurnListener> hearer) override {
    if (refusal) throw ApiFailure(*refusal);
    request = std::move(wanted);
    listener = std::move(hearer);
    if (script) script(*listener);
    return std::make_shared<Handle>(cancelled);
  }
  int64_t count_tokens(const TurnRequest& wanted) override {
    if (refusal) throw ApiFailure(*refusal);
    request = wanted;
    return 321;
  }
  std::string model_name() const override { return "minke-test"; }
  int64_t context() const override { return 4096; }

  std::function<void(TurnListener&)> script;  // played before start() returns
  std::optional<ApiError> refusal;
  TurnRequest request;
  std::shared_ptr<TurnListener> listener;
  std::shared_ptr<int> cancelled = std::make_shared<int>(0);

 private:
  struct Handle : TurnHandle {
    explicit Handle(std::shared_ptr<int> count) : cancelled(std::move(count)) {}
    void cancel() override { ++*cancelled; }
    std::shared_ptr<int> cancelled;
  };
};

// Random numbers that count up from 0.
inline WireSources counting_sources() {
  return {.random = [n = std::make_shared<uint64_t>(0)] { return (*n)++; },
          .now = [] { return int64_t{1'700'000'000}; }};
}

inline TurnUsage some_usage() {
  TurnUsage usage;
  usage.prompt_tokens = 12;
  usage.cached_tokens = 8;
  usage.completion_tokens = 7;
  usage.reasoning_tokens = 3;
  return usage;
}

inline TurnDelta thought(std::string text) {
  TurnDelta delta;
  delta.reasoning = std::move(text);
  return delta;
}

inline TurnDelta said(std::string text) {
  TurnDelta delta;
  delta.content = std::move(text);
  return delta;
}

inline ApiError error_of(int status, std::string message = "", double retry_after = 0) {
  ApiError error;
  error.status = status;
  error.message = std::move(message);
  error.retry_after = retry_after;
  return error;
}

inline HttpRequest request_of(std::string body) {
  HttpRequest request;
  request.method = "POST";
  request.body = std::move(body);
  return request;
}

inline TurnDelta call_piece(int call, std::string id, std::string name, std::string arguments) {
  TurnDelta delta;
  delta.calls.push_back({call, std::move(id), std::move(name), std::move(arguments)});
  return delta;
}

// Thinks, says two words and calls two functions.
inline void play_everything(TurnListener& listener) {
  listener.started(12, 8);
  listener.delta(0, thought("Let me"));
  listener.delta(0, thought(" see."));
  listener.delta(0, said("H\xc3\xa9llo"));
  listener.delta(0, said(" you"));
  listener.delta(0, call_piece(0, "call_a", "look", ""));
  listener.delta(0, call_piece(0, "", "", R"({"at": )"));
  listener.delta(0, call_piece(0, "", "", R"("sky"})"));
  listener.delta(0, call_piece(1, "call_b", "wait", "{}"));
  listener.ended(0, TurnEnd::kToolCalls, "");
  listener.finished(some_usage());
}

inline std::string header_of(const HttpResponse& response, std::string_view name) {
  for (const auto& [key, value] : response.headers) {
    if (key == name) return value;
  }
  return "";
}

// The events of a stream; the name of each is that of its data.
inline std::vector<nlohmann::json> events_of(std::string_view body) {
  std::vector<nlohmann::json> events;
  while (!body.empty()) {
    const std::string_view event = body.substr(0, body.find("\n\n"));
    body.remove_prefix(event.size() + 2);
    const size_t line = event.find('\n');
    EXPECT_TRUE(event.starts_with("event: ") && event.substr(line).starts_with("\ndata: "));
    events.push_back(nlohmann::json::parse(event.substr(line + 7)));
    EXPECT_EQ(event.substr(7, line - 7), events.back().at("type"));
  }
  return events;
}

// The refusal that `read` throws.
template <typename Read>
ApiError refusal_of(Read read) {
  try {
    read();
  } catch (const ApiFailure& failure) {
    return failure.error();
  }
  ADD_FAILURE() << "nothing was refused";
  return {};
}

}  // namespace minke::scripted
