#include "serve/http/host_policy.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "serve/http/test_client.h"

namespace minke {
namespace {

using testing::get;
using testing::test_options;
using testing::TestClient;
using testing::TestResponse;

HttpOptions office_options() {
  HttpOptions options = test_options();
  options.address = "127.0.0.1";
  options.allowed_hosts = {"Chat.Office.example", "fd00::1", "[fd00::2]"};
  options.allowed_origins = {"https://page.example", "http://other.example:3000/"};
  return options;
}

HttpRequest request_of(std::string host, std::string origin = "") {
  HttpRequest request;
  request.method = "GET";
  request.path = "/";
  request.headers = {{"host", std::move(host)}};
  if (!origin.empty()) request.headers.emplace_back("origin", std::move(origin));
  return request;
}

int status(const HttpOptions& options, const std::string& host, const std::string& origin = "",
           std::string_view reached = "127.0.0.1", std::string_view authority = "") {
  const auto refusal = HostPolicy(options).refusal(request_of(host, origin), authority, reached);
  return refusal ? refusal->status : 0;
}

TEST(HostPolicy, answers_to_its_names_alone) {
  const HttpOptions options = office_options();
  for (const char* host : {"localhost", "LOCALHOST:8080", "localhost.", "app.localhost",
                           "127.0.0.1", "127.0.0.1:80", "127.8.9.1", "[::1]", "[::1]:8080",
                           "[0:0:0:0:0:0:0:1]:1", "chat.office.example", "chat.office.example.:443",
                           "CHAT.office.example", "[fd00::1]:80", "[fd00:0::2]", "localhost:"}) {
    EXPECT_EQ(status(options, host), 0) << host;
  }
  for (const char* host : {"evil.example",
                           "localhost.evil.example",
                           "evillocalhost",
                           "127.0.0.1.evil.example",
                           "10.0.0.5",
                           "0.0.0.0",
                           "[fd00::3]",
                           "[::1",
                           "::1",
                           "[::1]x",
                           "localhost:99999",
                           "localhost:8x",
                           "localhost:-1",
                           "user@localhost",
                           "localhost/evil",
                           "local host",
                           "[]",
                           "[127.0.0.1]",
                           ":80",
                           "2130706433",
                           "127.1"}) {
    EXPECT_EQ(status(options, host), 403) << host;
  }
}

TEST(HostPolicy, loopback_is_an_address_or_its_name) {
  for (const char* host : {"127.0.0.1", "127.9.8.7", "::1", "0:0::1", "localhost", "LocalHost."}) {
    EXPECT_TRUE(is_loopback(host)) << host;
  }
  for (const char* host : {"127.evil.example", "127.", "127.0.0.1.evil.example", "0.0.0.0",
                           "::", "128.0.0.1", "notlocalhost", "", "/run/s"}) {
    EXPECT_FALSE(is_loopback(host)) << host;
  }
}

TEST(HostPolicy, knows_the_address_that_was_reached_and_its_own) {
  HttpOptions options = test_options();
  options.address = "0.0.0.0";
  EXPECT_EQ(status(options, "10.0.0.5:8080", "", "10.0.0.5"), 0);
  EXPECT_EQ(status(options, "10.0.0.6", "", "10.0.0.5"), 403);
  EXPECT_EQ(status(options, "0.0.0.0:8080", "", "127.0.0.1"), 403);
  options.address = "box.office.example";
  EXPECT_EQ(status(options, "box.office.example", "", "10.0.0.5"), 0);
  options.allowed_hosts = {"*"};
  EXPECT_EQ(status(options, "anything.example", "", "10.0.0.5"), 0);
  EXPECT_EQ(status(options, "not a host", "", "10.0.0.5"), 403);
}

TEST(HostPolicy, a_target_with_a_host_needs_a_known_one_too) {
  EXPECT_EQ(status(office_options(), "localhost", "", "127.0.0.1", "localhost:8080"), 0);
  EXPECT_EQ(status(office_options(), "localhost", "", "127.0.0.1", "evil.example"), 403);
}

TEST(HostPolicy, pages_are_its_own_or_allowed_ones) {
  const HttpOptions options = office_options();
  for (const char* origin : {"https://page.example", "https://PAGE.example",
                             "http://other.example:3000", "http://localhost:8080"}) {
    EXPECT_EQ(status(options, "localhost:8080", origin), 0) << origin;
  }
  for (const char* origin :
       {"http://page.example", "https://page.example:444", "https://page.example.evil", "null",
        "http://localhost:3000", "http://localhost", "http://127.0.0.1:8080", "file://",
        "https://evil.example"}) {
    EXPECT_EQ(status(options, "localhost:8080", origin), 403) << origin;
  }
  // Behind a proxy that speaks TLS.
  EXPECT_EQ(status(options, "chat.office.example", "https://chat.office.example"), 0);
  EXPECT_EQ(status(options, "chat.office.example:443", "https://chat.office.example"), 0);
}

TEST(HttpServer, pages_of_allowed_origins_may_ask_and_read) {
  const HttpOptions options = office_options();
  HttpServer server(options, testing::echo);
  TestClient client(server.port());
  client.send(
      "OPTIONS /v1/chat HTTP/1.1\r\nHost: localhost\r\nOrigin: https://page.example\r\n"
      "Access-Control-Request-Method: POST\r\n"
      "Access-Control-Request-Headers: authorization,content-type\r\n\r\n");
  const TestResponse preflight = client.response();
  EXPECT_EQ(preflight.status, 204);
  EXPECT_EQ(preflight.header("access-control-allow-origin"), "https://page.example");
  EXPECT_EQ(preflight.header("access-control-allow-headers"), "authorization,content-type");
  EXPECT_NE(preflight.header("access-control-allow-methods").find("POST"), std::string::npos);
  EXPECT_EQ(preflight.header("access-control-allow-credentials"), "");
  client.send(get("/", "Origin: https://page.example\r\n"));
  const TestResponse allowed = client.response();
  EXPECT_EQ(allowed.status, 200);
  EXPECT_EQ(allowed.header("access-control-allow-origin"), "https://page.example");
  EXPECT_EQ(allowed.header("vary"), "Origin");
  client.send(get("/"));
  EXPECT_EQ(client.response().header("access-control-allow-origin"), "");
  client.send(get("/", "Origin: https://evil.example\r\n"));
  const TestResponse refused = client.response();
  EXPECT_EQ(refused.status, 403);
  EXPECT_EQ(refused.header("access-control-allow-origin"), "");
  EXPECT_EQ(nlohmann::json::parse(refused.body).at("error").at("code"), "origin_not_allowed");
}

TEST(HttpServer, other_hosts_are_refused_before_the_body_is_read) {
  HttpServer server(test_options(), testing::echo);
  TestClient client(server.port());
  client.send("POST / HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 1000\r\n\r\n");
  const TestResponse response = client.response();
  EXPECT_EQ(response.status, 403);
  EXPECT_EQ(nlohmann::json::parse(response.body).at("error").at("code"), "host_not_allowed");
  EXPECT_TRUE(client.closed());
}

}  // namespace
}  // namespace minke
