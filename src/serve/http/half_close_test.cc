// Clients that close their sending side: some still read, some have closed all.
#include <functional>
#include <memory>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/core/test_folder.h"
#include "serve/http/test_client.h"

namespace minke {
namespace {

using testing::get;
using testing::kPatience;
using testing::Signal;
using testing::test_options;
using testing::TestClient;
using testing::TestResponse;

const std::string kGet10 = "GET / HTTP/1.0\r\nHost: localhost\r\n\r\n";
constexpr double kMoment = 0.7;  // longer than the server's first look at a client takes

// A server whose replies the test gives.
struct Held {
  explicit Held(HttpOptions options = test_options())
      : server(std::move(options), [this](HttpRequest, std::shared_ptr<HttpReply> r) {
          reply = std::move(r);
          reply->on_gone([this] { gone.set(); });
          handled.set();
        }) {}

  void begin(const char* type) const {
    HttpResponse head;
    head.content_type = type;
    reply->begin_stream(std::move(head));
  }
  void answer(const char* body) const {
    HttpResponse response;
    response.body = body;
    reply->send(std::move(response));
  }

  std::shared_ptr<HttpReply> reply;
  Signal handled, gone;
  HttpServer server;
};

// The next response that is not an interim one.
TestResponse final_response(TestClient& client) {
  TestResponse response = client.response();
  while (response.status == 100) response = client.response();
  return response;
}

TEST(HalfClose, a_whole_answer_still_comes) {
  Held held;
  TestClient client(held.server.port());
  client.send(get("/"));
  client.half_close();
  ASSERT_TRUE(held.handled.wait());
  EXPECT_FALSE(held.gone.wait(kMoment));
  held.answer("hello");
  const TestResponse response = final_response(client);
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "hello");
  EXPECT_TRUE(client.closed());
}

TEST(HalfClose, a_stream_still_comes) {
  for (const char* type : {"text/event-stream; charset=utf-8", "text/plain"}) {
    for (const std::string& request : {get("/"), kGet10}) {
      Held held;
      TestClient client(held.server.port());
      client.send(request);
      ASSERT_TRUE(held.handled.wait());
      held.begin(type);
      client.half_close();
      held.reply->write("data: 1\n\n");
      EXPECT_FALSE(held.gone.wait(kMoment)) << type;
      held.reply->write("data: 2\n\n");
      held.reply->end();
      std::string body = final_response(client).body;
      for (size_t at; (at = body.find(":\n\n")) != std::string::npos;) body.erase(at, 3);
      EXPECT_EQ(body, "data: 1\n\ndata: 2\n\n") << type;
      EXPECT_TRUE(client.closed());
    }
  }
}

TEST(HalfClose, pipelined_requests_are_all_answered) {
  HttpServer server(test_options(), testing::echo);
  TestClient client(server.port());
  client.send(get("/1") + get("/2") + get("/3") + "GET /ha");
  client.half_close();
  for (const char* path : {"/1", "/2", "/3"}) {
    EXPECT_EQ(final_response(client).body, fmt::format("GET {}? ", path));
  }
  EXPECT_TRUE(client.closed());
}

TEST(HalfClose, a_client_that_has_closed_all_is_noticed) {
  const std::function<void(const Held&)> stages[] = {
      [](const Held&) {},
      [](const Held& held) { held.begin("text/event-stream"); },
  };
  for (const auto& stage : stages) {
    for (const std::string& request : {get("/"), kGet10}) {
      Held held;
      auto client = std::make_unique<TestClient>(held.server.port());
      client->send(request);
      ASSERT_TRUE(held.handled.wait());
      stage(held);
      client.reset();
      EXPECT_TRUE(held.gone.wait()) << request;
    }
  }
}

TEST(HalfClose, other_streams_notice_it_when_they_write) {
  Held held;
  auto client = std::make_unique<TestClient>(held.server.port());
  client->send(get("/"));
  ASSERT_TRUE(held.handled.wait());
  held.begin("text/plain");
  client.reset();
  held.reply->write("x");
  EXPECT_TRUE(held.gone.wait());
}

// HTTP/1.0 has nothing that could be said to a client that waits.
TEST(HalfClose, an_old_client_that_awaits_a_whole_answer_has_left) {
  Held held;
  TestClient client(held.server.port());
  client.send(kGet10);
  ASSERT_TRUE(held.handled.wait());
  client.half_close();
  EXPECT_TRUE(held.gone.wait());
}

TEST(HalfClose, unix_sockets_tell_the_two_apart) {
  const testing::TempFolder folder;
  HttpOptions options;
  options.address = folder / "s";
  for (const bool all : {false, true}) {
    Held held(options);
    auto client = std::make_unique<TestClient>(options.address);
    client->send(kGet10);
    ASSERT_TRUE(held.handled.wait());
    if (all) {
      client.reset();
      EXPECT_TRUE(held.gone.wait());
    } else {
      client->half_close();
      EXPECT_FALSE(held.gone.wait(kMoment));
      held.answer("hello");
      EXPECT_EQ(client->response().body, "hello");
    }
  }
}

}  // namespace
}  // namespace minke
