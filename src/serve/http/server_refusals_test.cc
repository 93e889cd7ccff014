// What a server's owner says of heads and of refusals, and what all bodies may take.
#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "serve/http/http_text.h"
#include "serve/http/server.h"
#include "serve/http/test_client.h"

namespace minke {
namespace {

using testing::echo;
using testing::get;
using testing::post;
using testing::Signal;
using testing::test_options;
using testing::TestClient;
using testing::TestResponse;

TEST(HttpServer, a_body_is_not_read_before_its_head_is_checked) {
  std::atomic<int> handled = 0;
  HttpServer server(test_options(),
                    [&](HttpRequest request, const std::shared_ptr<HttpReply>& reply) {
                      ++handled;
                      echo(std::move(request), reply);
                    },
                    {.check = [](const HttpRequest& head) -> std::optional<HttpResponse> {
                       EXPECT_EQ(head.body, "");
                       if (head.header("authorization") == "key") return std::nullopt;
                       HttpResponse response;
                       response.status = 401;
                       return response;
                     },
                     .tell = nullptr,
                     .stalled = nullptr});
  for (const char* framing : {"Content-Length: 16777216", "Transfer-Encoding: chunked",
                              "Content-Length: 5\r\nExpect: 100-continue"}) {
    TestClient client(server.port());
    client.send(fmt::format("POST / HTTP/1.1\r\nHost: localhost\r\n{}\r\n\r\n", framing));
    const TestResponse response = client.response();
    EXPECT_EQ(response.status, 401) << framing;
    EXPECT_EQ(response.header("connection"), "close");
    EXPECT_TRUE(client.closed());
  }
  EXPECT_EQ(handled, 0);
  TestClient client(server.port());
  client.send(
      "POST /a HTTP/1.1\r\nHost: localhost\r\nAuthorization: key\r\nContent-Length: 2\r\n\r\nok");
  EXPECT_EQ(client.response().body, "POST /a? ok");
  // What brings no body is the handler's alone.
  client.send(get("/b"));
  EXPECT_EQ(client.response().body, "GET /b? ");
}

TEST(HttpServer, bodies_that_are_being_received_share_a_budget) {
  HttpOptions options = test_options();
  options.body_bytes = 1 << 20;
  options.bodies_bytes = 4 << 20;
  HttpServer server(options, echo);
  const std::string body(900 << 10, 'x');
  const std::string whole = post("/", body);
  const std::string_view most = std::string_view(whole).substr(0, whole.size() - 1);
  constexpr int kClients = 8;
  std::atomic<int> refused = 0;
  Signal four;
  std::vector<std::unique_ptr<TestClient>> clients;
  std::vector<TestResponse> responses(kClients);
  std::vector<std::thread> readers;
  for (size_t i = 0; i < kClients; ++i) {
    clients.push_back(std::make_unique<TestClient>(server.port()));
    clients[i]->send(most);
    readers.emplace_back([&, i] {
      responses[i] = clients[i]->response();
      if (responses[i].status == 503 && ++refused == 4) four.set();
    });
  }
  // More than four do not fit, and none is whole before.
  EXPECT_TRUE(four.wait());
  for (const auto& client : clients) client->send("x");
  for (std::thread& reader : readers) reader.join();
  for (const TestResponse& response : responses) {
    if (response.status == 200) continue;
    EXPECT_EQ(response.status, 503);
    EXPECT_EQ(nlohmann::json::parse(response.body).at("error").at("code"), "too_many_bodies");
    EXPECT_EQ(response.header("retry-after"), "1");
  }
  EXPECT_LT(refused, kClients);
  // What was received or refused takes nothing.
  for (int i = 0; i < 20; ++i) {
    TestClient client(server.port());
    client.send(whole);
    EXPECT_EQ(client.response().status, 200);
  }
}

TEST(HttpServer, refusals_are_told_as_its_owner_says) {
  HttpOptions options = test_options();
  options.header_bytes = 256;
  options.body_bytes = 10;
  options.header_seconds = 0.2;
  options.connections = 5;
  HttpServer server(options, echo,
                    {.check = nullptr,
                     .tell =
                         [](const HttpRequest& head, const HttpFault& fault) {
                           HttpResponse response = http_error(fault);
                           response.headers.emplace_back("X-Told", head.path + " " + fault.code);
                           return response;
                         },
                     .stalled = nullptr});
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"POST /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 11\r\n\r\n", "/a request_too_large"},
      {"GET /b HTTP/1.1\r\nHost: evil.example\r\n\r\n", "/b host_not_allowed"},
      {"GET /c HTTP/1.1\r\n\r\n", "/c bad_header"},
      {get("/d", "X: " + std::string(256, 'x') + "\r\n"), " headers_too_large"},
      {"GET /e", " request_timeout"}};
  for (const auto& [bytes, told] : cases) {
    TestClient client(server.port());
    client.send(bytes);
    EXPECT_EQ(client.response().header("x-told"), told);
  }
}

}  // namespace
}  // namespace minke
