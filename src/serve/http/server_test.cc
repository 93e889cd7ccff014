#include "serve/http/server.h"

#include <atomic>
#include <mutex>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/core/test_folder.h"
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

TEST(HttpServer, answers_and_keeps_the_connection) {
  HttpServer server(test_options(), echo);
  TestClient client(server.port());
  for (int i = 0; i < 3; ++i) {
    client.send(post(fmt::format("/a%20{}?q=1", i), "body"));
    const TestResponse response = client.response();
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.body, fmt::format("POST /a {}?q=1 body", i));
    EXPECT_EQ(response.header("content-type"), "application/json");
    EXPECT_EQ(response.header("server"), "minke");
    EXPECT_EQ(response.header("date").size(), 29U);
    EXPECT_EQ(response.header("connection"), "");
  }
  client.send(get("/", "Connection: close\r\n"));
  EXPECT_EQ(client.response().header("connection"), "close");
  EXPECT_TRUE(client.closed());
}

TEST(HttpServer, pipelined_requests_are_answered_one_after_the_other) {
  std::atomic<int> running = 0;
  std::atomic<bool> overlapped = false;
  std::vector<std::thread> threads;
  std::mutex mutex;
  {
    HttpServer server(test_options(), [&](HttpRequest request, std::shared_ptr<HttpReply> reply) {
      if (++running > 1) overlapped = true;
      const std::lock_guard lock(mutex);
      threads.emplace_back([&, request = std::move(request), reply = std::move(reply)] {
        std::this_thread::yield();
        --running;
        echo(request, reply);
      });
    });
    TestClient client(server.port());
    std::string all;
    for (int i = 0; i < 20; ++i) all += post(fmt::format("/{}", i), "x");
    client.send(all);
    for (int i = 0; i < 20; ++i) {
      EXPECT_EQ(client.response().body, fmt::format("POST /{}? x", i));
    }
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_FALSE(overlapped);
}

TEST(HttpServer, requests_may_come_byte_by_byte_and_in_chunks) {
  HttpServer server(test_options(), echo);
  TestClient client(server.port());
  const std::string request =
      "POST /x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
      "5\r\nhello\r\n3;a=b\r\n, y\r\n0\r\nX-Trailer: 1\r\n\r\n";
  for (const char c : request) client.send(std::string_view(&c, 1));
  EXPECT_EQ(client.response().body, "POST /x? hello, y");
}

TEST(HttpServer, head_has_the_length_and_no_body) {
  HttpServer server(test_options(), echo);
  TestClient client(server.port());
  client.send("HEAD /abc HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const TestResponse response = client.response("HEAD");
  EXPECT_EQ(response.header("content-length"), "11");
  client.send(get("/next"));
  EXPECT_EQ(client.response().body, "GET /next? ");
}

TEST(HttpServer, clients_of_http_1_0_are_understood) {
  HttpServer server(test_options(), [](HttpRequest request, std::shared_ptr<HttpReply> reply) {
    if (request.path != "/stream") return echo(std::move(request), reply);
    reply->begin_stream({});
    reply->write("one ");
    reply->write("two");
    reply->end();
  });
  TestClient kept(server.port());
  kept.send("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(kept.response().header("connection"), "keep-alive");
  kept.send("GET /b HTTP/1.0\r\n\r\n");
  EXPECT_EQ(kept.response().header("connection"), "close");
  EXPECT_TRUE(kept.closed());
  TestClient stream(server.port());
  stream.send("GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  const TestResponse response = stream.response();
  EXPECT_EQ(response.header("transfer-encoding"), "");
  EXPECT_EQ(response.header("connection"), "close");
  EXPECT_EQ(response.body, "one two");
}

TEST(HttpServer, a_client_that_waits_is_told_to_send_its_body) {
  HttpOptions options = test_options();
  options.body_bytes = 10;
  HttpServer server(options, echo);
  const std::string head =
      "POST / HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: ";
  TestClient client(server.port());
  client.send(head + "2\r\n\r\n");
  EXPECT_EQ(client.response().status, 100);
  client.send("ab");
  EXPECT_EQ(client.response().body, "POST /? ab");
  client.send(head + "11\r\n\r\n");
  EXPECT_EQ(client.response().status, 413);
}

TEST(HttpServer, pieces_of_a_stream_are_sent_at_once) {
  std::shared_ptr<HttpReply> held;
  Signal handled;
  HttpServer server(test_options(), [&](HttpRequest request, std::shared_ptr<HttpReply> reply) {
    if (request.path == "/again") return echo(std::move(request), reply);
    reply->begin_stream({});
    held = std::move(reply);
    handled.set();
  });
  TestClient client(server.port());
  client.send(get("/"));
  EXPECT_NE(client.read_until("\r\n\r\n").find("Transfer-Encoding: chunked"), std::string::npos);
  ASSERT_TRUE(handled.wait());
  for (const char* piece : {"one", "two"}) {
    held->write("");
    held->write(piece);
    EXPECT_EQ(client.read_until(piece), std::string("3\r\n") + piece);
    EXPECT_EQ(client.read_until("\r\n"), "\r\n");
  }
  held->end();
  EXPECT_EQ(client.read_until("0\r\n\r\n"), "0\r\n\r\n");
  held->write("late");
  held->send({});
  held.reset();
  client.send(get("/again"));
  EXPECT_EQ(client.response().body, "GET /again? ");
}

TEST(HttpServer, replies_without_an_answer_are_errors) {
  HttpServer server(test_options(), [](HttpRequest request, std::shared_ptr<HttpReply> reply) {
    if (request.path == "/throws") throw std::runtime_error("x");
    if (request.path == "/cut") {
      reply->begin_stream({});
      reply->write("half");
    }
  });
  TestClient client(server.port());
  for (const char* path : {"/", "/throws"}) {
    client.send(get(path));
    const TestResponse response = client.response();
    EXPECT_EQ(response.status, 500);
    const auto error = nlohmann::json::parse(response.body).at("error");
    EXPECT_EQ(error.at("type"), "server_error");
    EXPECT_EQ(error.at("code"), "no_answer");
    EXPECT_TRUE(error.at("param").is_null());
    EXPECT_FALSE(error.at("message").get<std::string>().empty());
  }
  client.send(get("/cut"));
  const TestResponse cut = client.response();
  EXPECT_EQ(cut.body, "half");
  EXPECT_FALSE(cut.whole);
  EXPECT_TRUE(client.closed());
}

TEST(HttpServer, values_cannot_end_a_header) {
  HttpServer server(test_options(), [](const HttpRequest&, const std::shared_ptr<HttpReply>& r) {
    HttpResponse response;
    response.content_type = "text/plain\r\nX-Evil: 1";
    response.headers = {{"X-Id", "a\r\n\r\n<b>"},
                        {"X\r\nEvil", "1"},
                        {"Content-Length", "0"},
                        {"transfer-encoding", "chunked"}};
    response.body = "ok";
    r->send(std::move(response));
  });
  TestClient client(server.port());
  client.send(get("/"));
  const TestResponse response = client.response();
  EXPECT_EQ(response.body, "ok");
  EXPECT_EQ(response.header("x-id"), "a    <b>");
  EXPECT_EQ(response.header("x-evil"), "");
  EXPECT_EQ(response.header("transfer-encoding"), "");
  EXPECT_EQ(response.header("content-length"), "2");
}

TEST(HttpServer, many_clients_are_served_at_once) {
  HttpOptions options = test_options();
  options.threads = 3;
  std::mutex mutex;
  std::vector<std::pair<HttpRequest, std::shared_ptr<HttpReply>>> held;
  Signal all;
  constexpr size_t kClients = 200;
  HttpServer server(options, [&](HttpRequest request, std::shared_ptr<HttpReply> reply) {
    const std::lock_guard lock(mutex);
    held.emplace_back(std::move(request), std::move(reply));
    if (held.size() == kClients) all.set();
  });
  std::vector<std::unique_ptr<TestClient>> clients;
  for (size_t i = 0; i < kClients; ++i) {
    clients.push_back(std::make_unique<TestClient>(server.port()));
    ASSERT_TRUE(clients.back()->send(get(fmt::format("/{}", i))));
  }
  ASSERT_TRUE(all.wait());
  for (auto& [request, reply] : held) {
    EXPECT_EQ(request.peer, "127.0.0.1");
    echo(request, reply);
  }
  for (size_t i = 0; i < kClients; ++i) {
    EXPECT_EQ(clients[i]->response().body, fmt::format("GET /{}? ", i));
  }
}

TEST(HttpServer, draining_answers_what_is_under_way) {
  std::shared_ptr<HttpReply> held;
  Signal handled;
  HttpServer server(test_options(), [&](HttpRequest request, std::shared_ptr<HttpReply> reply) {
    if (request.path == "/quick") return echo(std::move(request), reply);
    held = std::move(reply);
    handled.set();
  });
  TestClient idle(server.port());
  idle.send(get("/quick"));
  EXPECT_EQ(idle.response().status, 200);
  TestClient busy(server.port());
  busy.send(get("/slow"));
  ASSERT_TRUE(handled.wait());
  EXPECT_FALSE(server.drain(0.01));
  EXPECT_TRUE(idle.closed());
  EXPECT_FALSE(TestClient(server.port()).connected());
  held->send({});
  EXPECT_TRUE(server.drain(kPatience));
  const TestResponse response = busy.response();
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.header("connection"), "close");
  EXPECT_TRUE(busy.closed());
}

TEST(HttpServer, replies_may_outlive_it) {
  std::shared_ptr<HttpReply> held;
  Signal handled;
  Signal gone;
  {
    HttpServer server(test_options(), [&](HttpRequest, std::shared_ptr<HttpReply> reply) {
      held = std::move(reply);
      held->on_gone([&] { gone.set(); });
      handled.set();
    });
    TestClient client(server.port());
    client.send(get("/"));
    ASSERT_TRUE(handled.wait());
  }
  EXPECT_TRUE(gone.wait(0));
  held->begin_stream({});
  held->send({});
  bool told = false;
  held->on_gone([&] { told = true; });
  EXPECT_TRUE(told);
}

TEST(HttpServer, listens_on_a_socket_file_that_is_its_owners) {
  const testing::TempFolder folder;
  HttpOptions options;
  options.address = folder / "s";
  struct stat file = {};
  {
    HttpServer server(options, echo);
    ASSERT_EQ(::stat(options.address.c_str(), &file), 0);
    EXPECT_EQ(file.st_mode & 0777, 0600U);
    TestClient client(options.address);
    client.send("GET /x HTTP/1.1\r\nHost: whatever\r\n\r\n");
    EXPECT_EQ(client.response().body, "GET /x? ");
    EXPECT_NE(testing::error_of([&] { HttpServer second(options, echo); }).find("another server"),
              std::string::npos);
    EXPECT_TRUE(server.drain(kPatience));
    EXPECT_NE(::stat(options.address.c_str(), &file), 0);
  }
}

TEST(HttpServer, replaces_a_socket_file_that_nobody_answers_on_and_no_other_file) {
  const testing::TempFolder folder;
  HttpOptions options;
  options.address = folder / "s";
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  options.address.copy(address.sun_path, sizeof(address.sun_path) - 1);
  ASSERT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  ::close(fd);
  {
    HttpServer server(options, echo);
    TestClient client(options.address);
    client.send(get("/"));
    EXPECT_EQ(client.response().status, 200);
  }
  options.address = folder.file("text", "mine");
  EXPECT_NE(testing::error_of([&] { HttpServer server(options, echo); }).find("another file"),
            std::string::npos);
  EXPECT_TRUE(std::filesystem::exists(options.address));
  options.address = "/" + std::string(200, 'x');
  EXPECT_NE(testing::error_of([&] { HttpServer server(options, echo); }), "");
}

TEST(HttpServer, an_address_that_cannot_be_is_named) {
  HttpServer server(test_options(), echo);
  HttpOptions taken = test_options();
  taken.port = server.port();
  const std::string error = testing::error_of([&] { HttpServer second(taken, echo); });
  EXPECT_NE(error.find(fmt::format("127.0.0.1:{}", server.port())), std::string::npos) << error;
  taken.address = "256.0.0.1";
  EXPECT_NE(testing::error_of([&] { HttpServer second(taken, echo); }).find("256.0.0.1"),
            std::string::npos);
  HttpOptions none = test_options();
  none.threads = 0;
  EXPECT_NE(testing::error_of([&] { HttpServer second(none, echo); }).find("threads"),
            std::string::npos);
}

}  // namespace
}  // namespace minke
