#include "serve/http/router.h"

#include <gtest/gtest.h>

#include "serve/http/http_text.h"

namespace minke {
namespace {

class Recorder final : public HttpReply {
 public:
  void send(HttpResponse response) override { sent = std::move(response); }
  void begin_stream(HttpResponse) override {}
  void write(std::string) override {}
  void end() override {}
  void on_gone(std::function<void()>) override {}
  HttpResponse sent;
};

HttpResponse ask(const Router& router, std::string method, std::string path,
                 HttpHeaders headers = {}) {
  HttpRequest request;
  request.method = std::move(method);
  request.path = std::move(path);
  request.headers = std::move(headers);
  const auto reply = std::make_shared<Recorder>();
  router(std::move(request), reply);
  return reply->sent;
}

RouteHandler says(std::string text) {
  return [text](const HttpRequest&, const PathParameters&, const std::shared_ptr<HttpReply>& r) {
    HttpResponse response;
    response.body = text;
    r->send(std::move(response));
  };
}

// Lets requests pass that name their access class as their key.
std::optional<HttpResponse> check(const HttpRequest& request, Access access) {
  EXPECT_NE(access, Access::kOpen);
  const std::string_view key = request.header("authorization");
  const bool passes = (access == Access::kUser && key == "user") ||
                      (access == Access::kMetrics && key == "metrics");
  if (passes) return std::nullopt;
  return http_error(401, "no_key", "expected a key");
}

Router table() {
  return Router(
      {{"GET", "/health", Access::kOpen, says("health")},
       {"GET", "/v1/models", Access::kUser, says("models")},
       {"GET", "/v1/models/{id}", Access::kUser,
        [](const HttpRequest&, const PathParameters& p, const std::shared_ptr<HttpReply>& r) {
          HttpResponse response;
          response.body = "model " + p["id"];
          r->send(std::move(response));
        }},
       {"DELETE", "/v1/models/{id}", Access::kMetrics, says("deleted")},
       {"GET", "/v1/models/default", Access::kUser, says("default")},
       {"GET", "/v1/{kind}/{id}/content", Access::kUser,
        [](const HttpRequest&, const PathParameters& p, const std::shared_ptr<HttpReply>& r) {
          HttpResponse response;
          response.body = p["kind"] + " " + p["id"];
          r->send(std::move(response));
        }},
       {"GET", "/metrics", Access::kMetrics, says("metrics")}},
      check);
}

const HttpHeaders kUser = {{"authorization", "user"}};

TEST(Router, finds_the_most_literal_route) {
  const Router router = table();
  EXPECT_EQ(ask(router, "GET", "/v1/models", kUser).body, "models");
  EXPECT_EQ(ask(router, "GET", "/v1/models/a b", kUser).body, "model a b");
  EXPECT_EQ(ask(router, "GET", "/v1/models/default", kUser).body, "default");
  EXPECT_EQ(ask(router, "GET", "/v1/files/7/content", kUser).body, "files 7");
  EXPECT_EQ(ask(router, "HEAD", "/health").body, "health");
}

TEST(Router, other_paths_and_methods_are_json_errors) {
  const Router router = table();
  for (const char* path : {"/", "/nothing", "/health/", "//health", "/v1/models/", "*", "",
                           "/v1/models/a/b", "/v1//7/content"}) {
    EXPECT_EQ(ask(router, "GET", path, kUser).status, 404) << path;
  }
  const HttpResponse response = ask(router, "POST", "/v1/models/x");
  EXPECT_EQ(response.status, 405);
  EXPECT_EQ(response.headers, (HttpHeaders{{"Allow", "DELETE, GET, HEAD"}}));
  EXPECT_NE(response.body.find("\"code\":\"method_not_allowed\""), std::string::npos);
}

TEST(Router, no_route_but_open_ones_answers_without_a_key) {
  const Router router = table();
  for (const Route& route : router.routes()) {
    std::string path = route.pattern;
    for (size_t at; (at = path.find('{')) != std::string::npos;) {
      path.replace(at, path.find('}') - at + 1, "x");
    }
    const int expected = route.access == Access::kOpen ? 200 : 401;
    EXPECT_EQ(ask(router, route.method, path).status, expected) << route.pattern;
    if (route.method != "GET") continue;
    EXPECT_EQ(ask(router, "HEAD", path).status, expected) << route.pattern;
  }
  EXPECT_EQ(ask(router, "DELETE", "/v1/models/x", kUser).status, 401);
  EXPECT_EQ(ask(router, "DELETE", "/v1/models/x", {{"authorization", "metrics"}}).body, "deleted");
}

TEST(Router, a_body_is_read_only_for_who_may_use_the_route) {
  const Router router = table();
  const auto status = [&](const char* method, const char* path, const HttpHeaders& headers) {
    HttpRequest head;
    head.method = method;
    head.path = path;
    head.headers = headers;
    const auto refusal = router.refusal(head);
    return refusal ? refusal->status : 0;
  };
  EXPECT_EQ(status("GET", "/v1/models/x", kUser), 0);
  EXPECT_EQ(status("GET", "/v1/models/x", {}), 401);
  EXPECT_EQ(status("GET", "/metrics", kUser), 401);
  EXPECT_EQ(status("PUT", "/v1/models/x", kUser), 405);
  EXPECT_EQ(status("POST", "/nothing", kUser), 404);
  EXPECT_EQ(status("GET", "/health", kUser), 413);
}

TEST(Router, a_route_asks_for_a_key_unless_it_says_otherwise) {
  Route route;
  EXPECT_EQ(route.access, Access::kUser);
}

TEST(RouterDeathTest, tables_that_contradict_themselves_stop_the_program) {
  EXPECT_DEATH(
      Router({{"GET", "/{a}", Access::kOpen, says("")}, {"GET", "/{b}", Access::kUser, says("")}},
             check),
      "count");
  EXPECT_DEATH(Router({{"GET", "/", Access::kUser, says("")}}, nullptr), "check_");
}

}  // namespace
}  // namespace minke
