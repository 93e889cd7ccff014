#include "serve/api/anthropic/anthropic_reply.h"

#include "serve/api/scripted_turn_test.h"

namespace minke {
namespace {

using nlohmann::json;
using scripted::events_of;
using scripted::header_of;

const ThinkingSignature kSignature({1, 2, 3});
const char* const kBody =
    R"({"model": "m", "max_tokens": 9000, "messages": [{"role": "user", "content": "hi"}])";

class AnthropicReplyTest : public testing::Test {
 protected:
  // Asks for a reply; `members` are added to the body.
  void ask(const std::string& members = "") {
    reply_ = std::make_shared<scripted::Reply>();
    api_.messages(scripted::request_of(std::string(kBody) + members + "}"), reply_, "key");
  }
  void ask_stream() { ask(R"(, "stream": true)"); }

  json sent() const { return json::parse(reply_->sent->body); }

  scripted::Runner runner_;
  std::shared_ptr<scripted::Reply> reply_ = std::make_shared<scripted::Reply>();
  AnthropicApi api_{runner_, kSignature, scripted::counting_sources()};
};

TEST_F(AnthropicReplyTest, AnswersWithBlocksInOrder) {
  runner_.script = scripted::play_everything;
  ask(R"(, "metadata": {"user_id": "u"}, "flavour": 1)");
  ASSERT_TRUE(reply_->sent);
  EXPECT_EQ(reply_->sent->status, 200);
  EXPECT_EQ(header_of(*reply_->sent, "x-ignored-params"), "flavour");
  EXPECT_TRUE(header_of(*reply_->sent, "request-id").starts_with("req_"));
  const json expected = {
      {"type", "message"},
      {"role", "assistant"},
      {"model", "minke-test"},
      {"content",
       {{{"type", "thinking"},
         {"thinking", "Let me see."},
         {"signature", kSignature.sign("Let me see.")}},
        {{"type", "text"}, {"text", "H\xc3\xa9llo you"}},
        {{"type", "tool_use"}, {"id", "call_a"}, {"name", "look"}, {"input", {{"at", "sky"}}}},
        {{"type", "tool_use"}, {"id", "call_b"}, {"name", "wait"}, {"input", json::object()}}}},
      {"stop_reason", "tool_use"},
      {"stop_sequence", nullptr},
      {"usage",
       {{"input_tokens", 4},
        {"cache_creation_input_tokens", 0},
        {"cache_read_input_tokens", 8},
        {"output_tokens", 7}}}};
  json answer = sent();
  EXPECT_EQ(answer["id"].get<std::string>().size(), 36u);
  answer.erase("id");
  EXPECT_EQ(answer, expected);
  EXPECT_EQ(runner_.request.owner, wire_owner("key", "u"));
  EXPECT_EQ(runner_.request.caller, "key");
  EXPECT_EQ(runner_.request.max_tokens, 4096);
}

TEST_F(AnthropicReplyTest, StreamsExactlyTheEventsOfTheFormat) {
  runner_.script = scripted::play_everything;
  ask_stream();
  ASSERT_TRUE(reply_->head && reply_->ended);
  EXPECT_EQ(reply_->head->content_type, "text/event-stream; charset=utf-8");
  EXPECT_EQ(header_of(*reply_->head, "Cache-Control"), "no-cache");
  const std::string id = "msg_00000000000000010000000000000002";
  const auto block = [](int index, const char* json_text) {
    return "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":" +
           std::to_string(index) + ",\"content_block\":" + json_text + "}\n\n";
  };
  const auto delta = [](int index, const std::string& json_text) {
    return "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":" +
           std::to_string(index) + ",\"delta\":" + json_text + "}\n\n";
  };
  const auto stop = [](int index) {
    return "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":" +
           std::to_string(index) + "}\n\n";
  };
  const std::string expected =
      "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"" + id +
      R"(","type":"message","role":"assistant","model":"minke-test","content":[],)"
      R"("stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":4,)"
      R"("cache_creation_input_tokens":0,"cache_read_input_tokens":8,"output_tokens":0}}})" +
      "\n\nevent: ping\ndata: {\"type\":\"ping\"}\n\n" +
      block(0, R"({"type":"thinking","thinking":"","signature":""})") +
      delta(0, R"({"type":"thinking_delta","thinking":"Let me"})") +
      delta(0, R"({"type":"thinking_delta","thinking":" see."})") +
      delta(0,
            R"({"type":"signature_delta","signature":")" + kSignature.sign("Let me see.") + "\"}") +
      stop(0) + block(1, R"({"type":"text","text":""})") +
      delta(1, "{\"type\":\"text_delta\",\"text\":\"H\xc3\xa9llo\"}") +
      delta(1, R"({"type":"text_delta","text":" you"})") + stop(1) +
      block(2, R"({"type":"tool_use","id":"call_a","name":"look","input":{}})") +
      delta(2, R"({"type":"input_json_delta","partial_json":"{\"at\": "})") +
      delta(2, R"({"type":"input_json_delta","partial_json":"\"sky\"}"})") + stop(2) +
      block(3, R"({"type":"tool_use","id":"call_b","name":"wait","input":{}})") +
      delta(3, R"({"type":"input_json_delta","partial_json":"{}"})") + stop(3) +
      "event: message_delta\ndata: "
      R"({"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},)"
      R"("usage":{"input_tokens":4,"cache_creation_input_tokens":0,)"
      R"("cache_read_input_tokens":8,"output_tokens":7}})"
      "\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";
  EXPECT_EQ(reply_->body, expected);
}

TEST_F(AnthropicReplyTest, TellsWhyItStopped) {
  const auto stopped = [&](TurnEnd end, const std::string& stop) {
    runner_.script = [=](TurnListener& listener) {
      listener.started(1, 0);
      listener.ended(0, end, stop);
      listener.finished({});
    };
    ask();
    return std::pair(sent()["stop_reason"], sent()["stop_sequence"]);
  };
  EXPECT_EQ(stopped(TurnEnd::kStop, ""), std::pair(json("end_turn"), json()));
  EXPECT_EQ(stopped(TurnEnd::kStop, "END"), std::pair(json("stop_sequence"), json("END")));
  EXPECT_EQ(stopped(TurnEnd::kLength, ""), std::pair(json("max_tokens"), json()));
}

TEST_F(AnthropicReplyTest, LeavesOutACallThatTheLimitCutOff) {
  runner_.script = [](TurnListener& listener) {
    listener.started(1, 0);
    listener.delta(0, scripted::said("x"));
    listener.delta(0, scripted::call_piece(0, "call_a", "look", R"({"at": "s)"));
    listener.ended(0, TurnEnd::kLength, "");
    listener.finished({});
  };
  ask();
  EXPECT_EQ(sent()["content"].size(), 1u);
  EXPECT_EQ(sent()["content"][0]["type"], "text");
}

TEST_F(AnthropicReplyTest, SendsTheHeadBeforeTheTurnStarts) {
  ask_stream();
  ASSERT_TRUE(reply_->head);
  EXPECT_EQ(reply_->body, "");
  scripted::play_everything(*runner_.listener);
  EXPECT_TRUE(reply_->ended);
}

TEST_F(AnthropicReplyTest, DrawsASeedUnlessItIsGiven) {
  ask();
  EXPECT_EQ(runner_.request.sampling.seed, 0u);
  ask();
  EXPECT_EQ(runner_.request.sampling.seed, 5u);
  ask(R"(, "seed": 9)");
  EXPECT_EQ(runner_.request.sampling.seed, 9u);
}

TEST_F(AnthropicReplyTest, StopsTheTurnOfAClientThatLeaves) {
  ask_stream();
  ASSERT_TRUE(reply_->gone);
  reply_->gone();
  EXPECT_EQ(*runner_.cancelled, 1);
}

TEST_F(AnthropicReplyTest, RefusesInTheFormatsOwnWay) {
  struct Case {
    int status, answered;
    std::string type;
  };
  for (const Case& one : std::vector<Case>{{400, 400, "invalid_request_error"},
                                           {401, 401, "authentication_error"},
                                           {402, 402, "billing_error"},
                                           {403, 403, "permission_error"},
                                           {404, 404, "not_found_error"},
                                           {413, 413, "request_too_large"},
                                           {422, 422, "invalid_request_error"},
                                           {429, 429, "rate_limit_error"},
                                           {500, 500, "api_error"},
                                           {503, 529, "overloaded_error"},
                                           {504, 504, "timeout_error"}}) {
    runner_.refusal = scripted::error_of(one.status, "why", 2.5);
    ask_stream();
    ASSERT_TRUE(reply_->sent);
    EXPECT_EQ(reply_->sent->status, one.answered);
    EXPECT_EQ(header_of(*reply_->sent, "Retry-After"), "3");
    EXPECT_EQ(sent(), (json{{"type", "error"},
                            {"error", {{"type", one.type}, {"message", "why"}}},
                            {"request_id", header_of(*reply_->sent, "request-id")}}));
  }
  runner_.refusal.reset();
  reply_ = std::make_shared<scripted::Reply>();
  api_.messages(scripted::request_of("{"), reply_, "");
  EXPECT_EQ(reply_->sent->status, 400);
}

TEST_F(AnthropicReplyTest, FailsAsAnEventOnceTheStreamHasBegun) {
  ask_stream();
  runner_.listener->started(1, 0);
  runner_.listener->failed(scripted::error_of(500, "disk"));
  EXPECT_TRUE(reply_->ended);
  const auto events = events_of(reply_->body);
  ASSERT_EQ(events.size(), 3u);
  EXPECT_EQ(events[2]["error"], (json{{"type", "api_error"}, {"message", "disk"}}));
  EXPECT_TRUE(events[2]["request_id"].is_string());

  // Before that, it fails with a status.
  runner_.script = [](TurnListener& listener) { listener.failed(scripted::error_of(503)); };
  ask_stream();
  EXPECT_EQ(reply_->sent->status, 529);
}

TEST_F(AnthropicReplyTest, AReplyThatWasStoppedIsNoReply) {
  runner_.script = [](TurnListener& listener) {
    listener.started(1, 0);
    listener.delta(0, scripted::said("x"));
    listener.ended(0, TurnEnd::kCancelled, "");
    listener.finished({});
  };
  ask();
  EXPECT_EQ(reply_->sent->status, 529);
  ask_stream();
  EXPECT_EQ(events_of(reply_->body).back()["type"], "error");
}

TEST_F(AnthropicReplyTest, CountsTokens) {
  const std::string body = R"({"model": "m", "messages": [{"role": "user", "content": "hi"}]})";
  api_.count_tokens(scripted::request_of(body), reply_, "key");
  EXPECT_EQ(sent(), (json{{"input_tokens", 321}}));
  EXPECT_EQ(runner_.request.conversation.messages[0].content, "hi");
  reply_ = std::make_shared<scripted::Reply>();
  api_.count_tokens(scripted::request_of("[]"), reply_, "key");
  EXPECT_EQ(reply_->sent->status, 400);
}

}  // namespace
}  // namespace minke
