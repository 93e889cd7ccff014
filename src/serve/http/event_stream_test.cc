#include "serve/http/event_stream.h"

#include <gtest/gtest.h>

#include "serve/http/test_client.h"

namespace minke {
namespace {

using testing::get;
using testing::test_options;
using testing::TestClient;
using testing::TestResponse;

TEST(EventStream, lines_of_a_text_are_lines_of_the_field) {
  EXPECT_EQ(event_field("data", ""), "data: \n");
  EXPECT_EQ(event_field("data", "a"), "data: a\n");
  EXPECT_EQ(event_field("data", "a\nb\r\nc\rd\n\re"),
            "data: a\ndata: b\ndata: c\ndata: d\ndata: \ndata: e\n");
  EXPECT_EQ(event_field("data", "a\n"), "data: a\ndata: \n");
  EXPECT_EQ(event_field("", "x\ny"), ": x\n: y\n");
}

TEST(EventStream, events_are_framed_and_not_held_back) {
  EventPulse pulse(1000);
  HttpServer server(test_options(), [&](HttpRequest, std::shared_ptr<HttpReply> reply) {
    EventStream stream(std::move(reply), pulse, {{"X-Request-Id", "7"}});
    stream.data("{\"a\":1}");
    stream.event("error", "x\ny");
    stream.comment("note");
    stream.data("[DONE]");
    stream.end();
    stream.data("late");
  });
  TestClient client(server.port());
  client.send(get("/"));
  const TestResponse response = client.response();
  EXPECT_EQ(response.header("content-type"), "text/event-stream; charset=utf-8");
  EXPECT_EQ(response.header("cache-control"), "no-cache");
  EXPECT_EQ(response.header("x-accel-buffering"), "no");
  EXPECT_EQ(response.header("x-request-id"), "7");
  EXPECT_TRUE(response.whole);
  EXPECT_EQ(response.body,
            "data: {\"a\":1}\n\nevent: error\ndata: x\ndata: y\n\n: note\n\ndata: [DONE]\n\n");
}

TEST(EventStream, silence_is_filled_with_comments) {
  std::unique_ptr<EventStream> stream;
  testing::Signal handled;
  EventPulse pulse(0.05);
  HttpServer server(test_options(), [&](HttpRequest, std::shared_ptr<HttpReply> reply) {
    stream = std::make_unique<EventStream>(std::move(reply), pulse);
    handled.set();
  });
  TestClient client(server.port());
  client.send(get("/"));
  ASSERT_TRUE(handled.wait());
  for (int i = 0; i < 3; ++i) EXPECT_NE(client.read_until(": keep-alive\n\n"), "");
  stream->data("x");
  EXPECT_NE(client.read_until("data: x\n\n"), "");
  EXPECT_NE(client.read_until(": keep-alive\n\n"), "");
  stream->end();
  EXPECT_NE(client.read_until("\r\n0\r\n\r\n"), "");
}

TEST(EventStream, one_that_is_dropped_is_cut_short) {
  EventPulse pulse(0.01);
  HttpServer server(test_options(), [&](HttpRequest, std::shared_ptr<HttpReply> reply) {
    EventStream stream(std::move(reply), pulse);
    stream.data("x");
  });
  TestClient client(server.port());
  client.send(get("/"));
  const TestResponse response = client.response();
  EXPECT_FALSE(response.whole);
  EXPECT_TRUE(response.body.starts_with("data: x\n\n"));
}

}  // namespace
}  // namespace minke
