#include "serve/api/answers.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "serve/api/api_errors.h"
#include "serve/api/openai/fakes.h"
#include "serve/api/request_id.h"

namespace minke {
namespace {

WireSources sources() {
  return {[number = std::make_shared<uint64_t>(0)] { return ++*number; },
          [] { return int64_t{1}; }};
}

MetricsOptions metrics_options() {
  MetricsOptions options;
  options.model = "m";
  options.endpoints = endpoint_names();
  return options;
}

// The value of a counter with these labels, 0 if it has none.
int value(const Metrics& metrics, const std::string& name, const std::vector<std::string>& labels) {
  const std::string text = metrics.text();
  for (size_t at = 0; (at = text.find("minke:" + name + "{", at)) != std::string::npos; ++at) {
    const std::string line = text.substr(at, text.find('\n', at) - at);
    if (std::all_of(labels.begin(), labels.end(), [&](const std::string& label) {
          return line.find(label) != std::string::npos;
        })) {
      return std::stoi(line.substr(line.rfind(' ')));
    }
  }
  return 0;
}

TEST(Answers, PathsBelongToEndpoints) {
  for (const char* path : {"/v1/chat/completions", "/chat/completions", "/beta/chat/completions"}) {
    EXPECT_EQ(endpoint_name(path), "/v1/chat/completions") << path;
  }
  EXPECT_EQ(endpoint_name("/beta/completions"), "/v1/completions");
  EXPECT_EQ(endpoint_name("/anthropic/v1/messages"), "/v1/messages");
  EXPECT_EQ(endpoint_name("/anthropic/v1/messages/count_tokens"), "/v1/messages/count_tokens");
  EXPECT_EQ(endpoint_name("/v1/files/file-7/content"), "/v1/files");
  EXPECT_EQ(endpoint_name("/models"), "/v1/models");
  EXPECT_EQ(endpoint_name("/tokenize"), "/tokenize");
  for (const char* path : {"", "/", "/modelsx", "/v1", "/v1/", "/v1/tokenize", "/beta", "/x/models",
                           "/assets/index.js"}) {
    EXPECT_EQ(endpoint_name(path), "") << path;
  }
}

TEST(Answers, EachIsCountedOnceBeforeItGoesOut) {
  Metrics metrics(metrics_options());
  const Answers answers(&metrics, sources());
  const auto count = [&](const char* status) {
    return value(metrics, "http_requests_total",
                 {"endpoint=\"/v1/chat/completions\"", std::string("status=\"") + status});
  };
  struct Watching : FakeReply {
    std::function<void()> watch;
    void send(HttpResponse response) override {
      watch();
      FakeReply::send(std::move(response));
    }
    void begin_stream(HttpResponse answer) override {
      watch();
      FakeReply::begin_stream(std::move(answer));
    }
  };
  int seen = -1;
  const auto ask = [&] {
    auto reply = std::make_shared<Watching>();
    reply->watch = [&] { seen = count("200"); };
    return reply;
  };
  const auto whole = ask();
  answers.counted(whole, "/chat/completions", "req_a")->send({});
  EXPECT_EQ(seen, 1);
  EXPECT_EQ(whole->header("x-request-id"), "req_a");
  const auto stream = ask();
  {
    const auto counted = answers.counted(stream, "/v1/chat/completions", "req_b");
    counted->begin_stream({});
    counted->write("x");
    counted->end();
  }
  EXPECT_EQ(seen, 2);
  EXPECT_EQ(stream->body, "x");
  EXPECT_EQ(count("500"), 0);
  const auto dropped = ask();
  answers.counted(dropped, "/v1/chat/completions", "req_c");
  EXPECT_EQ(dropped->head.value().status, 500);
  EXPECT_EQ(dropped->json()["error"]["code"], "no_answer");
  EXPECT_EQ(dropped->header("x-request-id"), "req_c");
  EXPECT_EQ(count("500"), 1);
  // Who has left is answered nothing.
  const auto left = ask();
  {
    const auto counted = answers.counted(left, "/v1/chat/completions", "req_d");
    counted->on_gone([] {});
    left->gone();
  }
  EXPECT_FALSE(left->head.has_value());
  EXPECT_EQ(count("500"), 1);
}

TEST(Answers, StatusesSayWhyARequestWasNotTaken) {
  Metrics metrics(metrics_options());
  const Answers answers(&metrics, sources());
  HttpRequest head;
  for (const int status : {400, 422, 401, 403, 413, 431, 404, 429, 503}) {
    HttpResponse response;
    response.status = status;
    EXPECT_TRUE(request_id_of(answers.refused(head, response)).starts_with("req_")) << status;
  }
  EXPECT_EQ(value(metrics, "rejected_total", {"\"invalid\""}), 2);
  EXPECT_EQ(value(metrics, "rejected_total", {"\"too_large\""}), 2);
  EXPECT_EQ(value(metrics, "rejected_total", {"\"no_key\""}), 1);
  EXPECT_EQ(value(metrics, "rejected_total", {"\"forbidden\""}), 1);
  EXPECT_EQ(value(metrics, "rejected_total", {"\"quota\""}), 0);
}

TEST(Answers, ErrorsHaveTheShapeThatThePathsClientsKnow) {
  const Answers answers(nullptr, sources());
  const ApiError error = api_error(413, "much", "", "request_too_large");
  const HttpResponse openai = answers.error("/v1/chat/completions", error);
  EXPECT_EQ(nlohmann::json::parse(openai.body)["error"]["code"], "request_too_large");
  const HttpResponse anthropic = answers.error("/v1/messages", error);
  const auto json = nlohmann::json::parse(anthropic.body);
  EXPECT_EQ(json["type"], "error");
  EXPECT_EQ(json["request_id"], request_id_of(anthropic));
  // A full queue is what each calls it.
  const ApiError full = api_error_of(std::make_exception_ptr(Engine::Refused("engine: full")));
  EXPECT_EQ(answers.error("/v1/completions", full).status, 429);
  const HttpResponse overloaded = answers.error("/v1/messages", full);
  EXPECT_EQ(overloaded.status, 529);
  EXPECT_EQ(nlohmann::json::parse(overloaded.body)["error"]["type"], "overloaded_error");
}

}  // namespace
}  // namespace minke
