#include "serve/api/responses/responses_reply.h"

#include <fstream>
#include <limits>
#include <sstream>

#include "serve/api/scripted_turn_test.h"

namespace minke {
namespace {

using nlohmann::json;
using scripted::events_of;
using scripted::header_of;

class ResponsesReplyTest : public testing::Test {
 protected:
  void ask(const std::string& members = "") {
    reply_ = std::make_shared<scripted::Reply>();
    const ResponsesApi api(runner_, scripted::counting_sources());
    api.responses(scripted::request_of(R"({"model": "m", "input": "hi")" + members + "}"), reply_,
                  "key");
  }
  void ask_stream() { ask(R"(, "stream": true)"); }

  json sent() const { return json::parse(reply_->sent->body); }
  std::vector<std::string> event_types() const {
    std::vector<std::string> types;
    for (const json& event : events_of(reply_->body)) types.push_back(event["type"]);
    return types;
  }

  scripted::Runner runner_;
  std::shared_ptr<scripted::Reply> reply_;
};

void play_cut_off(TurnListener& listener) {
  listener.started(5, 0);
  listener.delta(0, scripted::thought("Hm"));
  listener.delta(0, scripted::call_piece(0, "call_a", "look", R"({"at": "s)"));
  listener.ended(0, TurnEnd::kLength, "");
  listener.finished(scripted::some_usage());
}

void play_scores(TurnListener& listener) {
  listener.started(5, 0);
  const float never = -std::numeric_limits<float>::infinity();
  TurnDelta held;
  held.scores = {{"\xc3", -0.5f, {{"\xc3", -0.5f}, {"x", never}}}};
  listener.delta(0, held);
  TurnDelta text = scripted::said("\xc3\xa9");
  text.scores = {{"\xa9", -0.25f, {}}};
  listener.delta(0, text);
  listener.ended(0, TurnEnd::kStop, "");
  listener.finished(scripted::some_usage());
}

void play_failure(TurnListener& listener) {
  listener.started(5, 0);
  listener.delta(0, scripted::said("Hel"));
  listener.failed(scripted::error_of(500, "disk"));
}

TEST_F(ResponsesReplyTest, AnswersWithItems) {
  runner_.script = scripted::play_everything;
  ask(R"(, "user": "u", "max_output_tokens": 9000, "flavour": 1)");
  ASSERT_TRUE(reply_->sent);
  EXPECT_EQ(reply_->sent->status, 200);
  EXPECT_EQ(header_of(*reply_->sent, "x-ignored-params"), "flavour");
  const json answer = sent();
  EXPECT_EQ(answer["status"], "completed");
  EXPECT_EQ(answer["completed_at"], 1'700'000'000);
  EXPECT_EQ(answer["model"], "minke-test");
  EXPECT_EQ(answer["store"], false);
  ASSERT_EQ(answer["output"].size(), 4u);
  EXPECT_EQ(answer["output"][0]["content"],
            (json{{{"type", "reasoning_text"}, {"text", "Let me see."}}}));
  EXPECT_EQ(answer["output"][1]["content"][0]["text"], "H\xc3\xa9llo you");
  EXPECT_EQ(answer["output"][2]["call_id"], "call_a");
  EXPECT_EQ(answer["output"][2]["arguments"], R"({"at": "sky"})");
  EXPECT_EQ(answer["output"][3]["name"], "wait");
  EXPECT_EQ(answer["usage"],
            (json{{"input_tokens", 12},
                  {"input_tokens_details", {{"cached_tokens", 8}, {"cache_write_tokens", 0}}},
                  {"output_tokens", 7},
                  {"output_tokens_details", {{"reasoning_tokens", 3}}},
                  {"total_tokens", 19}}));
  EXPECT_EQ(runner_.request.owner, wire_owner("key", "u"));
  EXPECT_EQ(runner_.request.caller, "key");
  EXPECT_EQ(runner_.request.max_tokens, 4096);
}

TEST_F(ResponsesReplyTest, StreamsTheEventsInOrder) {
  runner_.script = scripted::play_everything;
  ask_stream();
  ASSERT_TRUE(reply_->head && reply_->ended);
  EXPECT_EQ(event_types(), (std::vector<std::string>{"response.created",
                                                     "response.in_progress",
                                                     "response.output_item.added",
                                                     "response.content_part.added",
                                                     "response.reasoning_text.delta",
                                                     "response.reasoning_text.delta",
                                                     "response.reasoning_text.done",
                                                     "response.content_part.done",
                                                     "response.output_item.done",
                                                     "response.output_item.added",
                                                     "response.content_part.added",
                                                     "response.output_text.delta",
                                                     "response.output_text.delta",
                                                     "response.output_text.done",
                                                     "response.content_part.done",
                                                     "response.output_item.done",
                                                     "response.output_item.added",
                                                     "response.function_call_arguments.delta",
                                                     "response.function_call_arguments.delta",
                                                     "response.function_call_arguments.done",
                                                     "response.output_item.done",
                                                     "response.output_item.added",
                                                     "response.function_call_arguments.delta",
                                                     "response.function_call_arguments.done",
                                                     "response.output_item.done",
                                                     "response.completed"}));
  // What a client puts together from the pieces is what the last event says.
  std::vector<json> items;
  int64_t sequence = 0;
  for (const json& event : events_of(reply_->body)) {
    EXPECT_EQ(event["sequence_number"], sequence++);
    const std::string type = event["type"];
    if (event.contains("output_index")) {
      const bool added = type == "response.output_item.added";
      ASSERT_EQ(event["output_index"], added ? items.size() : items.size() - 1);
      if (added) items.push_back({{"id", event["item"]["id"]}, {"text", ""}});
      if (event.contains("item_id")) {
        EXPECT_EQ(event["item_id"], items.back()["id"]);
      }
      if (event.contains("delta")) {
        items.back()["text"] =
            items.back()["text"].get<std::string>() + event["delta"].get<std::string>();
      }
      if (event.contains("text")) {
        EXPECT_EQ(event["text"], items.back()["text"]);
      }
      if (event.contains("arguments")) {
        EXPECT_EQ(event["arguments"], items.back()["text"]);
      }
      if (type == "response.output_item.done") items.back()["item"] = event["item"];
    }
    if (type != "response.completed") continue;
    ASSERT_EQ(event["response"]["output"].size(), items.size());
    for (size_t i = 0; i < items.size(); ++i) {
      EXPECT_EQ(event["response"]["output"][i], items[i]["item"]);
    }
  }
}

TEST_F(ResponsesReplyTest, ACutOffReplyIsIncomplete) {
  runner_.script = play_cut_off;
  ask();
  const json answer = sent();
  EXPECT_EQ(answer["status"], "incomplete");
  EXPECT_EQ(answer["incomplete_details"], (json{{"reason", "max_output_tokens"}}));
  EXPECT_EQ(answer["completed_at"], nullptr);
  EXPECT_EQ(answer["output"][0]["status"], "completed");
  EXPECT_EQ(answer["output"][1]["status"], "incomplete");
  ask_stream();
  const auto types = event_types();
  EXPECT_EQ(types.back(), "response.incomplete");
  EXPECT_EQ(std::count(types.begin(), types.end(), "response.function_call_arguments.done"), 0);
}

TEST_F(ResponsesReplyTest, GivesProbabilitiesWithTheTextOfTheirTokens) {
  runner_.script = play_scores;
  ask_stream();
  const auto events = events_of(reply_->body);
  ASSERT_EQ(events[4]["type"], "response.output_text.delta");
  const json scores = events[4]["logprobs"];
  ASSERT_EQ(scores.size(), 2u);
  EXPECT_EQ(scores[0]["bytes"], json({0xc3}));
  EXPECT_EQ(scores[0]["token"], "\xef\xbf\xbd");
  EXPECT_EQ(scores[0]["logprob"], -0.5);
  EXPECT_EQ(scores[0]["top_logprobs"][1]["logprob"], -9999);
  EXPECT_EQ(scores[1]["logprob"], -0.25);
  const json item = events.back()["response"]["output"][0];
  EXPECT_EQ(item["content"][0]["logprobs"], scores);
}

TEST_F(ResponsesReplyTest, FailsAsEventsOnceTheStreamHasBegun) {
  runner_.script = play_failure;
  ask_stream();
  EXPECT_TRUE(reply_->ended);
  const auto events = events_of(reply_->body);
  const json& error = events[events.size() - 2];
  EXPECT_EQ(error["type"], "error");
  EXPECT_EQ(error["message"], "disk");
  EXPECT_EQ(error["param"], nullptr);
  const json& response = events.back()["response"];
  EXPECT_EQ(events.back()["type"], "response.failed");
  EXPECT_EQ(response["status"], "failed");
  EXPECT_EQ(response["error"], (json{{"code", "server_error"}, {"message", "disk"}}));
  EXPECT_EQ(response["output"][0]["status"], "incomplete");
  ask();
  EXPECT_EQ(reply_->sent->status, 500);
}

TEST_F(ResponsesReplyTest, SaysThatItHasBegunBeforeTheTurnStarts) {
  ask_stream();
  EXPECT_EQ(event_types(), std::vector<std::string>{"response.created"});
  scripted::play_everything(*runner_.listener);
  EXPECT_TRUE(reply_->ended);
}

TEST_F(ResponsesReplyTest, RefusesWithAStatus) {
  runner_.refusal = scripted::error_of(503, "full", 3);
  runner_.refusal->code = "queue_full";
  ask_stream();
  ASSERT_TRUE(reply_->sent);
  EXPECT_EQ(reply_->sent->status, 503);
  EXPECT_EQ(header_of(*reply_->sent, "Retry-After"), "3");
  EXPECT_EQ(sent(), (json{{"error",
                           {{"message", "full"},
                            {"type", "invalid_request_error"},
                            {"param", nullptr},
                            {"code", "queue_full"}}}}));
  ask(R"(, "background": true)");
  EXPECT_EQ(sent()["error"]["param"], "background");
  EXPECT_EQ(sent()["error"]["type"], "invalid_request_error");
}

TEST_F(ResponsesReplyTest, StopsTheTurnOfAClientThatLeaves) {
  ask_stream();
  ASSERT_TRUE(reply_->gone);
  reply_->gone();
  EXPECT_EQ(*runner_.cancelled, 1);
  runner_.listener->started(1, 0);
  runner_.listener->ended(0, TurnEnd::kCancelled, "");
  runner_.listener->finished({});
  EXPECT_EQ(event_types().back(), "response.failed");
}

// tools/check_api_schema.py holds the recorded lines against OpenAI's schemas.
TEST_F(ResponsesReplyTest, WritesWhatIsRecorded) {
  const std::string options =
      R"(, "instructions": "Be brief.", "temperature": 0.5, "max_output_tokens": 64,
          "metadata": {"k": "v"}, "user": "u", "top_logprobs": 2, "reasoning": {"effort": "low"},
          "text": {"format": {"type": "json_schema", "name": "n", "schema": {"type": "object"}}},
          "tool_choice": {"type": "function", "name": "look"},
          "tools": [{"type": "function", "name": "look", "description": "Looks.", "strict": true,
                     "parameters": {"type": "object", "properties": {}}},
                    {"type": "function", "name": "wait"}])";
  std::string written;
  for (const auto& script : {scripted::play_everything, play_cut_off, play_scores, play_failure}) {
    runner_.script = script;
    for (const std::string& members : {std::string(), options}) {
      ask(members);
      const bool good = reply_->sent->status == 200;
      written += (good ? "Response\t" : "ErrorResponse\t") + reply_->sent->body + "\n";
      ask(members + R"(, "stream": true)");
      std::istringstream lines(reply_->body);
      for (std::string line; std::getline(lines, line);) {
        if (line.starts_with("data: ")) written += "ResponseStreamEvent\t" + line.substr(6) + "\n";
      }
    }
  }
  std::ifstream file(MINKE_GOLDEN_DIR "/api/responses.tsv");
  std::stringstream recorded;
  recorded << file.rdbuf();
  if (recorded.str() == written) return;
  const std::string path = testing::TempDir() + "responses.tsv";
  std::ofstream(path) << written;
  ADD_FAILURE() << "the replies differ from those recorded; they are in " << path;
}

}  // namespace
}  // namespace minke
