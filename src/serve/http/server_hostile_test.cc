// Clients that are slow, rude, gone, or too many.
#include <algorithm>
#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "serve/http/server.h"
#include "serve/http/test_client.h"

namespace minke {
namespace {

using testing::echo;
using testing::get;
using testing::kPatience;
using testing::post;
using testing::Signal;
using testing::test_options;
using testing::TestClient;
using testing::TestResponse;

std::string error_code_of(const TestResponse& response) {
  return nlohmann::json::parse(response.body).at("error").at("code");
}

TEST(HttpServer, slow_heads_and_bodies_end_in_408) {
  HttpOptions options = test_options();
  options.header_seconds = 0.2;
  options.body_seconds = 0.2;
  HttpServer server(options, echo);
  const std::string body = post("/", "12345");
  for (const std::string& part : {std::string("GET / HT"), body.substr(0, body.size() - 1)}) {
    TestClient client(server.port());
    client.send(part);
    const TestResponse response = client.response();
    EXPECT_EQ(response.status, 408);
    EXPECT_EQ(error_code_of(response), "request_timeout");
    EXPECT_EQ(response.header("connection"), "close");
    EXPECT_TRUE(client.closed());
  }
}

// Each byte comes in time, all of them do not.
TEST(HttpServer, dripping_does_not_extend_the_time) {
  HttpOptions options = test_options();
  options.header_seconds = 0.3;
  HttpServer server(options, echo);
  TestClient client(server.port());
  client.send("GET / HTTP/1.1\r\nX: ");
  std::atomic<bool> stop = false;
  std::thread dripping([&] {
    while (!stop && client.send("x")) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  });
  EXPECT_EQ(client.response().status, 408);
  stop = true;
  dripping.join();
}

TEST(HttpServer, idle_connections_are_closed_without_a_word) {
  HttpOptions options = test_options();
  options.header_seconds = 0.2;
  options.idle_seconds = 0.2;
  HttpServer server(options, echo);
  TestClient silent(server.port());
  EXPECT_TRUE(silent.closed());
  TestClient client(server.port());
  client.send(get("/"));
  EXPECT_EQ(client.response().status, 200);
  EXPECT_TRUE(client.closed());
}

TEST(HttpServer, too_much_is_refused_before_it_is_read) {
  HttpOptions options = test_options();
  options.header_bytes = 1000;
  options.body_bytes = 100;
  std::atomic<int> handled = 0;
  HttpServer server(options, [&](HttpRequest request, const std::shared_ptr<HttpReply>& reply) {
    ++handled;
    echo(std::move(request), reply);
  });
  const auto status = [&](const std::string& bytes) {
    TestClient client(server.port());
    client.send(bytes);
    const TestResponse response = client.response();
    EXPECT_EQ(response.header("connection"), "close");
    return response.status;
  };
  EXPECT_EQ(status("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 101\r\n\r\n"), 413);
  EXPECT_EQ(status("POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
                   "65\r\nxxxx"),
            413);
  EXPECT_EQ(status(get("/", "X: " + std::string(1000, 'x') + "\r\n")), 431);
  // The answer arrives although the client goes on sending.
  EXPECT_EQ(status(post("/", std::string(3 << 20, 'x'))), 413);
  EXPECT_EQ(handled, 0);
}

TEST(HttpServer, malformed_requests_are_answered_in_json) {
  HttpServer server(test_options(), echo);
  for (const char* bytes :
       {"\x16\x03\x01", "GET\r\n\r\n", "GET / HTTP/1.1\nHost: localhost\n\n",
        "GET / HTTP/1.1\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked"
        "\r\n\r\n0\r\n\r\n"}) {
    TestClient client(server.port());
    client.send(bytes);
    const TestResponse response = client.response();
    EXPECT_EQ(response.status, 400) << bytes;
    EXPECT_EQ(response.header("content-type"), "application/json");
    const auto error = nlohmann::json::parse(response.body).at("error");
    EXPECT_EQ(error.size(), 4U);
    EXPECT_EQ(error.at("type"), "invalid_request_error");
    EXPECT_TRUE(error.at("param").is_null());
    EXPECT_TRUE(client.closed()) << bytes;
  }
}

TEST(HttpServer, connections_beyond_the_limit_are_told_so) {
  HttpOptions options = test_options();
  options.connections = 2;
  HttpServer server(options, echo);
  auto first = std::make_unique<TestClient>(server.port());
  TestClient second(server.port());
  for (TestClient* client : {first.get(), &second}) {
    client->send(get("/"));
    EXPECT_EQ(client->response().status, 200);
  }
  TestClient third(server.port());
  third.send(get("/"));
  const TestResponse response = third.response();
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(response.header("retry-after"), "1");
  EXPECT_TRUE(third.closed());
  first.reset();
  // The place is free once the server has seen the first one leave.
  int status = 0;
  for (int i = 0; i < 1000 && status != 200; ++i) {
    TestClient next(server.port());
    next.send(get("/"));
    status = next.response().status;
  }
  EXPECT_EQ(status, 200);
}

struct Held {
  std::shared_ptr<HttpReply> reply;
  Signal handled;
  Signal gone;
  HttpHandler handler() {
    return [this](HttpRequest, std::shared_ptr<HttpReply> r) {
      reply = std::move(r);
      reply->on_gone([this] { gone.set(); });
      handled.set();
    };
  }
};

TEST(HttpServer, a_client_that_leaves_is_noticed_while_nothing_is_written) {
  for (const int how : {0, 1}) {
    Held held;
    HttpServer server(test_options(), held.handler());
    auto client = std::make_unique<TestClient>(server.port());
    client->send(get("/"));
    ASSERT_TRUE(held.handled.wait());
    EXPECT_FALSE(held.gone.wait(0));
    if (how == 0) client.reset();
    if (how == 1) client->reset();
    EXPECT_TRUE(held.gone.wait()) << how;
    held.reply->begin_stream({});
    held.reply->send({});
  }
}

TEST(HttpServer, a_client_that_leaves_behind_much_that_it_sent_is_noticed) {
  Held held;
  HttpServer server(test_options(), held.handler());
  auto client = std::make_unique<TestClient>(server.port());
  // More than is read of later requests, less than the kernel holds.
  client->send(get("/") + std::string(100 << 10, 'x'));
  ASSERT_TRUE(held.handled.wait());
  client.reset();
  EXPECT_TRUE(held.gone.wait());
}

TEST(HttpServer, endless_pipelining_is_not_read) {
  HttpServer server(test_options(), echo);
  TestClient client(server.port());
  std::string requests;
  for (int i = 0; i < 4000; ++i) requests += get("/");
  std::thread sending([&] { client.send(requests); });
  int answered = 0;
  while (answered < 4000 && client.response().status == 200) ++answered;
  sending.join();
  EXPECT_EQ(answered, 4000);
}

TEST(HttpServer, a_reset_in_the_middle_of_a_request_is_nothing) {
  HttpServer server(test_options(), echo);
  for (const std::string& part : {get("/").substr(0, 9), post("/", "abc").substr(0, 50)}) {
    TestClient client(server.port());
    client.send(part);
    client.reset();
  }
  TestClient client(server.port());
  client.send(get("/"));
  EXPECT_EQ(client.response().status, 200);
}

TEST(HttpServer, a_reader_that_is_too_slow_for_its_stream_is_dropped) {
  HttpOptions options = test_options();
  options.unsent_bytes = 1 << 20;
  Held held;
  std::atomic<int> stalled = 0;
  HttpServer server(options, held.handler(),
                    {.check = nullptr, .tell = nullptr, .stalled = [&] { ++stalled; }});
  TestClient client(server.port(), 4096);
  client.send(get("/"));
  ASSERT_TRUE(held.handled.wait());
  held.reply->begin_stream({});
  // The kernel holds some MB of it.
  for (int i = 0; i < 4096 && !held.gone.wait(0); ++i)
    held.reply->write(std::string(64 << 10, 'x'));
  EXPECT_TRUE(held.gone.wait());
  EXPECT_EQ(stalled, 1);
  held.reply->write("late");
  held.reply->end();
}

TEST(HttpServer, a_reader_that_stalls_is_dropped) {
  HttpOptions options = test_options();
  options.stalled_seconds = 0.2;
  options.unsent_bytes = 1 << 30;
  Held held;
  std::atomic<int> stalled = 0;
  HttpServer server(options, held.handler(),
                    {.check = nullptr, .tell = nullptr, .stalled = [&] { ++stalled; }});
  TestClient client(server.port(), 4096);
  client.send(get("/"));
  ASSERT_TRUE(held.handled.wait());
  held.reply->begin_stream({});
  for (int i = 0; i < 512; ++i) held.reply->write(std::string(64 << 10, 'x'));
  EXPECT_TRUE(held.gone.wait());
  EXPECT_EQ(stalled, 1);
}

TEST(HttpServer, a_large_answer_and_a_large_stream_arrive_whole) {
  const std::string large(20 << 20, 'y');
  HttpServer server(test_options(), [&](HttpRequest request, std::shared_ptr<HttpReply> reply) {
    HttpResponse response;
    if (request.path == "/whole") {
      response.body = large;
      return reply->send(std::move(response));
    }
    reply->begin_stream({});
    for (int i = 0; i < 1000; ++i) reply->write(std::string(1000, static_cast<char>('a' + i % 26)));
    reply->end();
  });
  TestClient client(server.port());
  client.send(get("/whole"));
  EXPECT_EQ(client.response().body, large);
  client.send(get("/stream"));
  const std::string body = client.response().body;
  ASSERT_EQ(body.size(), 1000000U);
  for (size_t i = 0; i < body.size(); ++i) ASSERT_EQ(body[i], 'a' + i / 1000 % 26);
}

TEST(HttpServer, waits_while_there_are_no_descriptors) {
  HttpServer server(test_options(), echo);
  std::vector<std::unique_ptr<TestClient>> clients;
  rlimit usual = {};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &usual), 0);
  // Every number below the limit is taken, so that the client's own is the last one.
  std::vector<int> taken;
  while (taken.empty() || taken.back() < 200) taken.push_back(::dup(STDIN_FILENO));
  ::close(taken.back());
  rlimit none = usual;
  none.rlim_cur = static_cast<rlim_t>(taken.back()) + 1;
  taken.pop_back();
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  TestClient client(server.port());
  EXPECT_TRUE(client.connected());
  client.send(get("/"));
  rusage before = {};
  rusage after = {};
  ::getrusage(RUSAGE_SELF, &before);
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  ::getrusage(RUSAGE_SELF, &after);
  ::setrlimit(RLIMIT_NOFILE, &usual);
  const auto seconds = [](const rusage& usage) {
    return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           1e-6 * static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
  };
  EXPECT_LT(seconds(after) - seconds(before), 0.2);
  EXPECT_EQ(client.response().status, 200);
  for (const int fd : taken) ::close(fd);
}

TEST(HttpServer, bytes_at_random_never_stop_it) {
  HttpServer server(test_options(), echo);
  std::string valid = post("/path?q", "body");
  for (size_t i = 0; i < valid.size(); ++i) {
    TestClient client(server.port());
    std::string damaged = valid;
    damaged[i] = static_cast<char>(damaged[i] ^ static_cast<char>(1 << i % 8));
    client.send(damaged);
    client.half_close();
    client.rest();
  }
  TestClient client(server.port());
  client.send(valid);
  EXPECT_EQ(client.response().body, "POST /path?q body");
}

}  // namespace
}  // namespace minke
