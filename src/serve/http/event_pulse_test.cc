#include "serve/http/event_pulse.h"

#include <chrono>
#include <thread>

#include <gtest/gtest.h>

#include "serve/http/test_client.h"

namespace minke {
namespace {

using testing::get;
using testing::test_options;
using testing::TestClient;
using testing::TestResponse;

HttpResponse event_head() {
  HttpResponse head;
  head.content_type = "text/event-stream; charset=utf-8";
  return head;
}

TEST(EventPulse, SilenceIsFilledWithComments) {
  std::shared_ptr<HttpReply> stream;
  testing::Signal handled;
  EventPulse pulse(0.05);
  HttpServer server(test_options(), [&](HttpRequest, std::shared_ptr<HttpReply> reply) {
    stream = pulse.keep(std::move(reply));
    stream->begin_stream(event_head());
    handled.set();
  });
  TestClient client(server.port());
  client.send(get("/"));
  ASSERT_TRUE(handled.wait());
  for (int i = 0; i < 3; ++i) EXPECT_NE(client.read_until(": keep-alive\n\n"), "");
  stream->write("data: x\n\n");
  EXPECT_NE(client.read_until("data: x\n\n"), "");
  EXPECT_NE(client.read_until(": keep-alive\n\n"), "");
  stream->end();
  EXPECT_NE(client.read_until("\r\n0\r\n\r\n"), "");
}

TEST(EventPulse, OtherAnswersAreLeftAlone) {
  std::shared_ptr<HttpReply> stream;
  testing::Signal handled;
  EventPulse pulse(0.01);
  HttpServer server(test_options(), [&](HttpRequest request, std::shared_ptr<HttpReply> reply) {
    const auto kept = pulse.keep(std::move(reply));
    if (request.path == "/whole") {
      HttpResponse response;
      response.body = "{}";
      kept->send(std::move(response));
      return;
    }
    HttpResponse head;
    head.content_type = "text/plain";
    kept->begin_stream(std::move(head));
    stream = kept;
    handled.set();
  });
  TestClient whole(server.port());
  whole.send(get("/whole"));
  EXPECT_EQ(whole.response().body, "{}");
  TestClient client(server.port());
  client.send(get("/stream"));
  ASSERT_TRUE(handled.wait());
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  stream->write("text");
  stream->end();
  EXPECT_EQ(client.response().body, "text");
}

TEST(EventPulse, AStreamThatIsDroppedIsCutShort) {
  EventPulse pulse(0.01);
  HttpServer server(test_options(), [&](HttpRequest, std::shared_ptr<HttpReply> reply) {
    const auto kept = pulse.keep(std::move(reply));
    kept->begin_stream(event_head());
    kept->write("data: x\n\n");
  });
  TestClient client(server.port());
  client.send(get("/"));
  const TestResponse response = client.response();
  EXPECT_FALSE(response.whole);
  EXPECT_TRUE(response.body.starts_with("data: x\n\n"));
}

}  // namespace
}  // namespace minke
