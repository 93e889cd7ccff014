#include "serve/api/openai/chat.h"

#include <cmath>

#include <fmt/core.h>
#include <gtest/gtest.h>

#include "serve/api/api_errors.h"
#include "serve/api/openai/fakes.h"

namespace minke {
namespace {

using Json = nlohmann::json;

TurnUsage usage() {
  TurnUsage usage;
  usage.prompt_tokens = 7;
  usage.cached_tokens = 4;
  usage.completion_tokens = 9;
  usage.reasoning_tokens = 5;
  usage.prefill_seconds = 0.5;
  usage.decode_seconds = 3;
  return usage;
}

TurnDelta text(std::string content) {
  TurnDelta delta;
  delta.content = std::move(content);
  return delta;
}

TurnDelta thought(std::string reasoning) {
  TurnDelta delta;
  delta.reasoning = std::move(reasoning);
  return delta;
}

TurnDelta call(int number, std::string id, std::string name, std::string arguments) {
  TurnDelta delta;
  delta.calls.push_back({number, std::move(id), std::move(name), std::move(arguments)});
  return delta;
}

class OpenAiChatTest : public testing::Test {
 protected:
  void ask(const std::string& more) {
    const OpenAiChat chat(runner_, options_);
    chat.answer(post(R"({"messages":[{"role":"user","content":"Hi"}])" + more + "}"), reply_,
                "key");
  }

  static void thinks_and_answers(TurnListener& turn) {
    turn.started(7, 4);
    turn.delta(0, thought("Let me"));
    turn.delta(0, text("Hi"));
    turn.ended(0, TurnEnd::kStop, "");
    turn.finished(usage());
  }

  OpenAiOptions options_ = fake_options();
  FakeRunner runner_;
  std::shared_ptr<FakeReply> reply_ = std::make_shared<FakeReply>();
};

TEST_F(OpenAiChatTest, answers_with_a_completion) {
  runner_.script = thinks_and_answers;
  ask(R"(,"metadata":{"a":"b"})");
  ASSERT_TRUE(reply_->head);
  EXPECT_EQ(reply_->head->status, 200);
  EXPECT_EQ(reply_->header("x-ignored-params"), "metadata");
  Json json = reply_->json();
  EXPECT_TRUE(json["id"].get<std::string>().starts_with("chatcmpl-"));
  json.erase("id");
  EXPECT_EQ(json, Json::parse(R"({"object":"chat.completion","created":1700000000,
      "model":"minke-test","system_fingerprint":"fp_test","choices":[{"index":0,
      "message":{"role":"assistant","content":"Hi","reasoning_content":"Let me","refusal":null},
      "logprobs":null,"finish_reason":"stop"}],
      "usage":{"prompt_tokens":7,"completion_tokens":9,"total_tokens":16,
      "prompt_cache_hit_tokens":4,"prompt_cache_miss_tokens":3,
      "prompt_tokens_details":{"cached_tokens":4},
      "completion_tokens_details":{"reasoning_tokens":5}},
      "timings":{"cache_n":4,"prompt_n":3,"prompt_ms":500.0,"prompt_per_second":6.0,
      "predicted_n":9,"predicted_ms":3000.0,"predicted_per_second":2.6666666666666665}})"));
  EXPECT_TRUE(runner_.listener.expired());
}

TEST_F(OpenAiChatTest, streams_chunks) {
  runner_.script = thinks_and_answers;
  ask(R"(,"stream":true,"stream_options":{"include_usage":true},"foo":1)");
  EXPECT_EQ(reply_->head->content_type, "text/event-stream; charset=utf-8");
  EXPECT_EQ(reply_->header("Cache-Control"), "no-cache");
  EXPECT_EQ(reply_->header("X-Accel-Buffering"), "no");
  EXPECT_EQ(reply_->header("x-ignored-params"), "foo");
  EXPECT_TRUE(reply_->ended);
  const std::vector<std::string> events = reply_->events();
  ASSERT_EQ(events.size(), 6u);
  const std::string id = Json::parse(events[0])["id"];
  const auto chunk = [&](std::string_view delta, std::string_view finish) {
    return Json::parse(fmt::format(
        R"({{"id":"{}","object":"chat.completion.chunk","created":1700000000,"model":"minke-test",
        "system_fingerprint":"fp_test","choices":[{{"index":0,"delta":{},"logprobs":null,
        "finish_reason":{}}}],"usage":null}})",
        id, delta, finish));
  };
  EXPECT_EQ(Json::parse(events[0]), chunk(R"({"role":"assistant","content":null})", "null"));
  EXPECT_EQ(Json::parse(events[1]), chunk(R"({"reasoning_content":"Let me"})", "null"));
  EXPECT_EQ(Json::parse(events[2]), chunk(R"({"content":"Hi"})", "null"));
  EXPECT_EQ(Json::parse(events[3]), chunk("{}", "\"stop\""));
  const Json last = Json::parse(events[4]);
  EXPECT_EQ(last["choices"], Json::array());
  EXPECT_EQ(last["usage"]["total_tokens"], 16);
  EXPECT_EQ(last["id"], id);
  EXPECT_TRUE(last.contains("timings"));
  EXPECT_EQ(events[5], "[DONE]");
}

TEST_F(OpenAiChatTest, a_stream_has_no_usage_unless_asked) {
  runner_.script = thinks_and_answers;
  ask(R"(,"stream":true)");
  const std::vector<std::string> events = reply_->events();
  ASSERT_EQ(events.size(), 5u);
  for (size_t i = 0; i + 1 < events.size(); ++i) {
    EXPECT_FALSE(Json::parse(events[i]).contains("usage"));
  }
}

void calls_two_tools(TurnListener& turn) {
  turn.started(7, 0);
  turn.delta(0, call(0, "call_1", "f", ""));
  turn.delta(0, call(0, "", "", "{\"a\":"));
  turn.delta(0, call(0, "", "", "1}"));
  turn.delta(0, call(1, "call_2", "g", "{}"));
  turn.ended(0, TurnEnd::kToolCalls, "");
  turn.finished(usage());
}

TEST_F(OpenAiChatTest, answers_with_tool_calls) {
  runner_.script = calls_two_tools;
  ask("");
  const Json choice = reply_->json()["choices"][0];
  EXPECT_EQ(choice["finish_reason"], "tool_calls");
  EXPECT_EQ(choice["message"], Json::parse(R"({"role":"assistant","content":null,
      "reasoning_content":null,"refusal":null,"tool_calls":[
      {"id":"call_1","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}},
      {"id":"call_2","type":"function","function":{"name":"g","arguments":"{}"}}]})"));
}

TEST_F(OpenAiChatTest, streams_tool_calls) {
  runner_.script = calls_two_tools;
  ask(R"(,"stream":true)");
  const std::vector<std::string> events = reply_->events();
  ASSERT_EQ(events.size(), 7u);
  const auto delta = [&](size_t i) { return Json::parse(events[i])["choices"][0]["delta"]; };
  EXPECT_EQ(delta(1), Json::parse(R"({"tool_calls":[{"index":0,"id":"call_1","type":"function",
      "function":{"name":"f","arguments":""}}]})"));
  EXPECT_EQ(delta(2),
            Json::parse(R"({"tool_calls":[{"index":0,"function":{"arguments":"{\"a\":"}}]})"));
  EXPECT_EQ(delta(4)["tool_calls"][0]["id"], "call_2");
  EXPECT_EQ(Json::parse(events[5])["choices"][0]["finish_reason"], "tool_calls");
}

TEST_F(OpenAiChatTest, log_probabilities_stand_with_their_text) {
  TurnDelta delta = text("\xc3\xa9");
  ScoredText first{"\xc3", -0.5f, {{"\xc3", -0.5f}, {"e", -1.5f}}};
  ScoredText second{"\xa9", -INFINITY, {}};
  delta.scores = {first, second};
  runner_.script = [&](TurnListener& turn) {
    turn.started(1, 0);
    turn.delta(0, delta);
    turn.ended(0, TurnEnd::kLength, "");
    turn.finished(usage());
  };
  ask(R"(,"logprobs":true,"top_logprobs":2)");
  const Json expected = Json::parse(R"({"content":[
      {"token":"\\xc3","logprob":-0.5,"bytes":[195],"top_logprobs":[
        {"token":"\\xc3","logprob":-0.5,"bytes":[195]},
        {"token":"e","logprob":-1.5,"bytes":[101]}]},
      {"token":"\\xa9","logprob":-9999.0,"bytes":[169],"top_logprobs":[]}],"refusal":null})");
  EXPECT_EQ(reply_->json()["choices"][0]["logprobs"], expected);
  EXPECT_EQ(reply_->json()["choices"][0]["finish_reason"], "length");
  reply_ = std::make_shared<FakeReply>();
  ask(R"(,"logprobs":true,"top_logprobs":2,"stream":true)");
  EXPECT_EQ(Json::parse(reply_->events()[1])["choices"][0]["logprobs"], expected);
}

TEST_F(OpenAiChatTest, choices_are_told_apart) {
  runner_.script = [](TurnListener& turn) {
    turn.started(7, 0);
    turn.delta(1, text("b"));
    turn.delta(0, text("a"));
    turn.ended(1, TurnEnd::kStop, "");
    turn.delta(0, text("A"));
    turn.ended(0, TurnEnd::kLength, "");
    turn.finished(usage());
  };
  ask(R"(,"n":2)");
  const Json choices = reply_->json()["choices"];
  EXPECT_EQ(choices[0]["message"]["content"], "aA");
  EXPECT_EQ(choices[1]["message"]["content"], "b");
  EXPECT_EQ(choices[1]["index"], 1);
  reply_ = std::make_shared<FakeReply>();
  ask(R"(,"n":2,"stream":true)");
  std::string order;
  for (const std::string& event : reply_->events()) {
    if (event != "[DONE]") order += Json::parse(event)["choices"][0]["index"].dump();
  }
  EXPECT_EQ(order, "0110100");
}

TEST_F(OpenAiChatTest, thinking_may_have_another_name) {
  runner_.script = thinks_and_answers;
  options_.reasoning = ReasoningField::kBoth;
  ask("");
  EXPECT_EQ(reply_->json()["choices"][0]["message"]["reasoning"], "Let me");
  EXPECT_EQ(reply_->json()["choices"][0]["message"]["reasoning_content"], "Let me");
  options_.reasoning = ReasoningField::kReasoning;
  reply_ = std::make_shared<FakeReply>();
  ask(R"(,"stream":true)");
  EXPECT_EQ(Json::parse(reply_->events()[1])["choices"][0]["delta"],
            Json::parse(R"({"reasoning":"Let me"})"));
}

TEST_F(OpenAiChatTest, an_empty_answer_cut_by_its_length_is_one) {
  runner_.script = [](TurnListener& turn) {
    turn.started(7, 0);
    turn.delta(0, thought("hm"));
    turn.ended(0, TurnEnd::kLength, "");
    turn.finished(usage());
  };
  ask("");
  EXPECT_EQ(reply_->json()["choices"][0]["message"]["content"], "");
  EXPECT_EQ(reply_->json()["choices"][0]["finish_reason"], "length");
}

TEST_F(OpenAiChatTest, what_start_refuses_is_a_status_in_a_stream_too) {
  runner_.failure = context_error(100, 64);
  for (const char* more : {"", R"(,"stream":true)"}) {
    reply_ = std::make_shared<FakeReply>();
    ask(more);
    EXPECT_FALSE(reply_->streams);
    EXPECT_EQ(reply_->head->status, 400);
    EXPECT_EQ(reply_->json()["error"]["code"], "context_length_exceeded");
  }
}

TEST_F(OpenAiChatTest, a_wrong_request_is_an_error_body) {
  ask(R"(,"n":0)");
  EXPECT_EQ(reply_->head->status, 422);
  EXPECT_EQ(reply_->json(), Json::parse(R"({"error":{"message":
      "n: expected an integer from 1 to 8, found 0","type":"invalid_request_error","param":"n",
      "code":null}})"));
}

TEST_F(OpenAiChatTest, an_error_within_a_stream_is_an_event_without_done) {
  runner_.script = [](TurnListener& turn) {
    turn.started(7, 0);
    turn.delta(0, text("H"));
    turn.failed(api_error(500, "disk"));
    turn.delta(0, text("late"));
    turn.finished(usage());
  };
  ask(R"(,"stream":true)");
  const std::vector<std::string> events = reply_->events();
  ASSERT_EQ(events.size(), 3u);
  EXPECT_EQ(Json::parse(events[2])["error"]["message"], "disk");
  EXPECT_TRUE(reply_->ended);
}

TEST_F(OpenAiChatTest, a_turn_that_the_server_ends_is_an_error) {
  runner_.script = [](TurnListener& turn) {
    turn.started(7, 0);
    turn.delta(0, text("H"));
    turn.ended(0, TurnEnd::kCancelled, "");
    turn.finished(usage());
  };
  ask("");
  EXPECT_EQ(reply_->head->status, 503);
  EXPECT_EQ(reply_->header("Retry-After"), "1");
  reply_ = std::make_shared<FakeReply>();
  ask(R"(,"stream":true)");
  EXPECT_TRUE(Json::parse(reply_->events().back()).contains("error"));
}

TEST_F(OpenAiChatTest, the_head_of_a_stream_goes_out_before_the_first_token) {
  ask(R"(,"stream":true)");
  EXPECT_TRUE(reply_->streams);
  EXPECT_TRUE(reply_->body.empty());
  EXPECT_FALSE(reply_->ended);
}

TEST_F(OpenAiChatTest, a_client_that_leaves_cancels_the_turn) {
  std::shared_ptr<TurnListener> kept;
  runner_.script = [&](TurnListener&) { kept = runner_.listener.lock(); };
  ask(R"(,"stream":true)");
  ASSERT_TRUE(reply_->gone);
  reply_->gone();
  EXPECT_EQ(runner_.handle->cancelled, 1);
  thinks_and_answers(*kept);
  reply_->gone();
  EXPECT_EQ(runner_.handle->cancelled, 1);
  EXPECT_EQ(runner_.handle.use_count(), 1);
}

TEST_F(OpenAiChatTest, text_that_is_no_utf8_does_not_throw) {
  runner_.script = [](TurnListener& turn) {
    turn.started(7, 0);
    turn.delta(0, text("a\xff"));
    turn.ended(0, TurnEnd::kStop, "");
    turn.finished(usage());
  };
  ask("");
  EXPECT_EQ(reply_->json()["choices"][0]["message"]["content"], "a\xef\xbf\xbd");
}

}  // namespace
}  // namespace minke
