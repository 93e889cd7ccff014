#include "serve/api/service.h"

#include <algorithm>
#include <memory>
#include <set>

#include <gtest/gtest.h>

#include "base/core/test_folder.h"
#include "serve/api/openai/fakes.h"
#include "serve/api/request_id.h"

namespace minke {
namespace {

using testing::TempFolder;

std::string path_of(const Route& route) {
  std::string path = route.pattern;
  for (size_t at; (at = path.find('{')) != std::string::npos;) {
    path.replace(at, path.find('}') - at + 1, "x");
  }
  return path;
}

struct Served {
  explicit Served(const std::filesystem::path& folder)
      : user(add_key(folder / "keys.json", key("user", KeyRole::kUser))),
        watcher(add_key(folder / "keys.json", key("watcher", KeyRole::kMetrics))),
        ring(folder / "keys.json") {
    parts.turns = &runner;
    parts.keys = &ring;
    // Copies of the sources count on together.
    parts.sources = {[number = std::make_shared<uint64_t>(0)] { return ++*number; },
                     [] { return int64_t{1}; }};
    parts.openai = fake_options();
  }

  static ApiKey key(const char* name, KeyRole role) {
    ApiKey k;
    k.name = name;
    k.roles = {role};
    return k;
  }

  int ask(Service& service, const Route& route, const std::string& presented) {
    return answer(service, route, presented)->head.value().status;
  }

  std::shared_ptr<FakeReply> answer(Service& service, const Route& route,
                                    const std::string& presented) {
    auto reply = std::make_shared<FakeReply>();
    HttpRequest request;
    request.method = route.method;
    request.path = path_of(route);
    if (!presented.empty()) request.headers = {{"authorization", scheme + presented}};
    service.handler()(std::move(request), reply);
    return reply;
  }

  std::string scheme = "Bearer ";
  std::string user, watcher;
  KeyRing ring;
  FakeRunner runner;
  ServiceParts parts;
};

TEST(Service, TheSchemeOfAKeyHasAnyCase) {
  const TempFolder folder;
  Served served(folder.path());
  Service service(served.parts);
  const auto routes = service.routes();
  const auto models = std::ranges::find(routes, "/v1/models", &Route::pattern);
  ASSERT_NE(models, routes.end());
  for (const auto& [scheme, status] : {std::pair{"Bearer ", 200},
                                       {"bearer ", 200},
                                       {"BEARER   ", 200},
                                       {"Basic ", 401},
                                       {"Bearer", 401},
                                       {"", 401}}) {
    served.scheme = scheme;
    EXPECT_EQ(served.ask(service, *models, served.user), status) << scheme;
  }
}

TEST(Service, EveryRouteButTheOpenOnesAsksForAKey) {
  const TempFolder folder;
  Served served(folder.path());
  Service service(served.parts);
  int asked = 0;
  for (const Route& route : service.routes()) {
    if (route.access == Access::kOpen) continue;
    ++asked;
    EXPECT_EQ(served.ask(service, route, ""), 401) << route.method << " " << route.pattern;
    EXPECT_EQ(served.ask(service, route, "mk-wrong"), 401) << route.method << " " << route.pattern;
    const std::string& other = route.access == Access::kMetrics ? served.user : served.watcher;
    EXPECT_EQ(served.ask(service, route, other), 403) << route.method << " " << route.pattern;
  }
  EXPECT_GT(asked, 20);
}

TEST(Service, OnlyStatesOfHealthAndThePageAreOpen) {
  const TempFolder folder;
  Served served(folder.path());
  served.parts.page = {{"/", "text/html", "page", ""}};
  Service service(served.parts);
  std::vector<std::string> open;
  for (const Route& route : service.routes()) {
    if (route.access == Access::kOpen) open.push_back(route.method + " " + route.pattern);
  }
  std::sort(open.begin(), open.end());
  EXPECT_EQ(open, std::vector<std::string>({"GET /", "GET /health", "GET /livez", "GET /ready",
                                            "GET /readyz", "GET /v1/health"}));
}

TEST(Service, EveryAnswerHasAnIdOfItsOwn) {
  const TempFolder folder;
  Served served(folder.path());
  Service service(served.parts);
  std::set<std::string> ids;
  size_t answers = 0;
  const auto expect_id = [&](const FakeReply& reply, const std::string& what) {
    const std::string id = reply.header("x-request-id") + reply.header("request-id");
    EXPECT_TRUE(id.starts_with("req_")) << what;
    EXPECT_EQ(id.size(), 36u) << what;
    ids.insert(id);
    ++answers;
  };
  for (const Route& route : service.routes()) {
    // What answers these is not there: they are refused alone.
    const bool refused = route.pattern == "/v1/status" || route.pattern == "/metrics" ||
                         route.pattern.ends_with("tokenize") ||
                         route.pattern == "/tokenizer_info" || route.pattern == "/apply-template" ||
                         (route.pattern.ends_with("/completions") &&
                          route.pattern.find("/chat/") == std::string::npos);
    for (const std::string& key : {refused ? std::string() : served.user, served.watcher}) {
      if (route.pattern == "/metrics" && key == served.watcher) continue;
      const auto reply = served.answer(service, route, key);
      expect_id(*reply, route.method + " " + route.pattern);
      const bool anthropic = route.pattern.find("/messages") != std::string::npos;
      EXPECT_EQ(reply->header("request-id").empty(), !anthropic) << route.pattern;
    }
  }
  expect_id(*served.answer(service, {"GET", "/v1/none", Access::kUser, nullptr}, ""), "no route");
  EXPECT_EQ(ids.size(), answers);
}

TEST(Service, StreamsAndLinesOfBatchesHaveIds) {
  const TempFolder folder;
  Served served(folder.path());
  Service service(served.parts);
  const std::string body = R"({"stream":true,"messages":[{"role":"user","content":"x"}]})";
  served.runner.script = [](TurnListener& listener) {
    listener.started(1, 0);
    listener.ended(0, TurnEnd::kStop, "");
    listener.finished({});
  };
  auto stream = std::make_shared<FakeReply>();
  HttpRequest request = post(body);
  request.path = "/v1/chat/completions";
  request.headers = {{"authorization", "Bearer " + served.user}};
  service.handler()(std::move(request), stream);
  EXPECT_TRUE(stream->streams);
  EXPECT_TRUE(stream->header("x-request-id").starts_with("req_"));

  auto answer = std::make_shared<FakeReply>();
  BatchLine line;
  line.owner = "user";
  line.url = "/v1/chat/completions";
  line.body = R"({"messages":[{"role":"user","content":"x"}]})";
  service.answer_line(line, answer);
  EXPECT_EQ(answer->head.value().status, 200);
  EXPECT_TRUE(answer->header("x-request-id").starts_with("req_"));
}

TEST(Service, RefusalsOfTheServerLookLikeItsOwn) {
  const TempFolder folder;
  Served served(folder.path());
  MetricsOptions metrics_options;
  metrics_options.endpoints = endpoint_names();
  Metrics metrics(metrics_options);
  served.parts.metrics = &metrics;
  Service service(served.parts);
  const HttpHooks hooks = service.hooks();
  HttpRequest head;
  head.method = "POST";
  for (const char* path : {"/v1/messages", "/anthropic/v1/messages", "/v1/chat/completions"}) {
    head.path = path;
    const bool anthropic = head.path.ends_with("messages");
    const HttpResponse large = hooks.tell(head, {413, "request_too_large", "much", {{"A", "b"}}});
    const HttpResponse stranger = hooks.check(head).value();
    EXPECT_EQ(large.status, 413);
    EXPECT_EQ(stranger.status, 401);
    for (const HttpResponse& one : {large, stranger}) {
      EXPECT_TRUE(request_id_of(one).starts_with("req_")) << path;
      EXPECT_EQ(nlohmann::json::parse(one.body).contains("type"), anthropic) << path;
    }
    const auto& headers = large.headers;
    EXPECT_NE(
        std::find(headers.begin(), headers.end(), std::pair<std::string, std::string>("A", "b")),
        headers.end());
  }
  head.path = "/v1/messages";
  head.method = "GET";
  EXPECT_TRUE(nlohmann::json::parse(hooks.check(head).value().body).contains("type"));
  head.headers = {{"authorization", "Bearer " + served.user}};
  head.method = "POST";
  EXPECT_FALSE(hooks.check(head).has_value());
  hooks.stalled();
  const std::string text = metrics.text();
  EXPECT_NE(text.find("client_stalled_total{model_name=\"\"} 1"), std::string::npos);
  const size_t messages = text.find("endpoint=\"/v1/messages\",status=\"413\"");
  ASSERT_NE(messages, std::string::npos) << text;
  EXPECT_EQ(text.substr(text.find('}', messages), 3), "} 2");
}

TEST(Service, WhatMakesWorkCountsAsARequestOfItsKey) {
  const TempFolder folder;
  Served served(folder.path());
  ApiKey limited = Served::key("limited", KeyRole::kUser);
  limited.limits.requests_per_minute = 1;
  const std::string secret = add_key(folder / "keys.json", limited);
  KeyRing ring(folder / "keys.json");
  QuotaLedger quotas("");
  served.parts.keys = &ring;
  served.parts.quotas = &quotas;
  Service service(served.parts);
  const auto post_to = [&](const char* path) {
    return served.ask(service, {"POST", path, Access::kUser, nullptr}, secret);
  };
  EXPECT_EQ(post_to("/v1/files"), 501);
  for (const char* path : {"/v1/files", "/v1/batches", "/tokenize", "/detokenize",
                           "/apply-template", "/v1/messages/count_tokens"}) {
    EXPECT_EQ(post_to(path), 429) << path;
  }
  EXPECT_EQ(served.ask(service, {"GET", "/v1/models", Access::kUser, nullptr}, secret), 200);
}

TEST(Service, RefusesNewRequestsWhileItStops) {
  const TempFolder folder;
  Served served(folder.path());
  Service service(served.parts);
  service.stop_taking();
  for (const Route& route : service.routes()) {
    if (route.pattern != "/v1/chat/completions" && route.pattern != "/readyz") continue;
    EXPECT_EQ(served.ask(service, route, served.user), 503) << route.pattern;
  }
}

}  // namespace
}  // namespace minke
