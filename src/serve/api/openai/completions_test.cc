#include "serve/api/openai/completions.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include "serve/api/api_errors.h"
#include "serve/api/openai/fakes.h"
#include "text/tokenizer/spec_testing.h"

namespace minke {
namespace {

using Json = nlohmann::json;

// A token is a byte; 256 stands before a text, 257 ends one. Every prompt goes on as `reply` says.
class FakeCompletions : public CompletionRunner {
 public:
  EncodedPrompt encode(std::string_view text, bool ends) const override {
    EncodedPrompt prompt;
    if (ends) prompt.ids.push_back(256);
    prompt.before = ends ? 1 : 0;
    for (const char byte : text) prompt.ids.push_back(static_cast<unsigned char>(byte));
    return prompt;
  }
  std::optional<EncodedPrompt> encode_gap(std::string_view before,
                                          std::string_view behind) const override {
    if (!gaps) return std::nullopt;
    return encode(fmt::format("{}_{}", before, behind), false);
  }
  std::string_view bytes(int32_t id) const override {
    if (id == 256) return "<begin>";
    if (id == 257) return "<end>";
    return std::string_view(bytes_).substr(static_cast<size_t>(id), 1);
  }
  std::shared_ptr<TurnHandle> start(CompletionTask task,
                                    std::shared_ptr<CompletionListener> listener) override {
    if (tasks.size() == room) throw Engine::Refused("queue: full");
    tasks.push_back(task);
    listeners.push_back(listener);
    if (!waits) play(task, *listener);
    return handle;
  }
  std::string model_name() const override { return "minke-test"; }
  int64_t context() const override { return 64; }

  void play(const CompletionTask& task, CompletionListener& listener) const {
    const auto score = [&](int32_t id) {
      return ScoredText{std::string(bytes(id)), -0.5f, {{std::string(bytes(id)), -0.5f}}};
    };
    listener.started(static_cast<int64_t>(task.prompt.size()), 1);
    if (task.score_prompt) {
      std::vector<ScoredText> scores;
      for (size_t i = 1; i < task.prompt.size(); ++i) scores.push_back(score(task.prompt[i]));
      listener.scored(std::move(scores));
    }
    TurnUsage usage;
    usage.prompt_tokens = static_cast<int64_t>(task.prompt.size());
    usage.cached_tokens = 1;
    for (const char byte : reply) {
      if (usage.completion_tokens == task.max_tokens) break;
      ++usage.completion_tokens;
      std::vector<CompletionToken> tokens;
      if (task.log_probabilities)
        tokens.push_back({score(static_cast<unsigned char>(byte)), false});
      listener.text(std::string(1, byte), std::move(tokens));
    }
    const bool full = usage.completion_tokens == task.max_tokens;
    if (!full && task.log_probabilities) listener.text("", {{score(257), true}});
    listener.finished(full ? TurnEnd::kLength : TurnEnd::kStop, usage);
  }

  std::string reply = "xyz";
  bool gaps = false, waits = false;
  size_t room = 1000;
  std::vector<CompletionTask> tasks;
  std::vector<std::shared_ptr<CompletionListener>> listeners;
  std::shared_ptr<FakeHandle> handle = std::make_shared<FakeHandle>();

 private:
  std::string bytes_ = [] {
    std::string all;
    for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
    return all;
  }();
};

class OpenAiCompletionsTest : public testing::Test {
 protected:
  Json ask(const std::string& body) {
    reply_ = std::make_shared<FakeReply>();
    runner_.tasks.clear();
    const OpenAiCompletions completions(runner_, fake_options());
    completions.answer(post(body), reply_, "key");
    return reply_->streams || !reply_->head ? Json() : reply_->json();
  }

  FakeCompletions runner_;
  std::shared_ptr<FakeReply> reply_;
};

TEST_F(OpenAiCompletionsTest, answers_with_a_text) {
  Json json = ask(R"({"prompt":"ab","foo":1})");
  EXPECT_EQ(reply_->header("x-ignored-params"), "foo");
  EXPECT_TRUE(json["id"].get<std::string>().starts_with("cmpl-"));
  json.erase("id");
  json.erase("timings");
  EXPECT_EQ(json, Json::parse(R"({"object":"text_completion","created":1700000000,
      "model":"minke-test","system_fingerprint":"fp_test","choices":[{"index":0,"text":"xyz",
      "logprobs":null,"finish_reason":"stop"}],
      "usage":{"prompt_tokens":3,"completion_tokens":3,"total_tokens":6,
      "prompt_cache_hit_tokens":1,"prompt_cache_miss_tokens":2,
      "prompt_tokens_details":{"cached_tokens":1},
      "completion_tokens_details":{"reasoning_tokens":0}}})"));
  EXPECT_EQ(runner_.tasks.at(0).max_tokens, 16);
  EXPECT_EQ(runner_.tasks.at(0).sampling.temperature, 1);
  EXPECT_FALSE(runner_.tasks.at(0).log_probabilities);
}

TEST_F(OpenAiCompletionsTest, scores_given_tokens_as_evaluation_programs_ask) {
  const Json json = ask(R"({"model":"m","prompt":[[97,98,99]],"max_tokens":1,"logprobs":1,
      "echo":true,"temperature":0,"seed":1234})");
  const Json choice = json["choices"][0];
  EXPECT_EQ(choice["text"], "abcx");
  EXPECT_EQ(choice["finish_reason"], "length");
  EXPECT_EQ(choice["logprobs"], Json::parse(R"({"tokens":["a","b","c","x"],
      "token_logprobs":[null,-0.5,-0.5,-0.5],
      "top_logprobs":[null,{"b":-0.5},{"c":-0.5},{"x":-0.5}],"text_offset":[0,1,2,3]})"));
  const CompletionTask& task = runner_.tasks.at(0);
  EXPECT_EQ(task.sampling.seed, 1234u);
  EXPECT_EQ(task.sampling.temperature, 0);
  EXPECT_EQ(task.top, 1);
  EXPECT_TRUE(task.score_prompt);
}

TEST_F(OpenAiCompletionsTest, the_token_that_ends_a_text_has_a_score_too) {
  runner_.reply = "";
  const Json logprobs =
      ask(R"({"prompt":[97],"max_tokens":1,"logprobs":0,"echo":true})")["choices"][0]["logprobs"];
  EXPECT_EQ(logprobs["tokens"], Json::parse(R"(["a","<end>"])"));
  EXPECT_EQ(logprobs["text_offset"], Json::parse("[0,1]"));
}

TEST_F(OpenAiCompletionsTest, echo_alone_needs_no_new_token) {
  const Json json = ask(R"({"prompt":"é","max_tokens":0,"logprobs":2,"echo":true})");
  const Json choice = json["choices"][0];
  EXPECT_EQ(choice["text"], "é");
  EXPECT_EQ(choice["finish_reason"], "length");
  EXPECT_EQ(choice["logprobs"]["tokens"],
            Json::parse(R"(["<begin>","bytes:\\xc3","bytes:\\xa9"])"));
  EXPECT_EQ(choice["logprobs"]["text_offset"], Json::parse("[0,0,1]"));
  EXPECT_EQ(json["usage"]["completion_tokens"], 0);
  EXPECT_EQ(runner_.tasks.at(0).max_tokens, 0);
  EXPECT_EQ(ask(R"({"prompt":"é","max_tokens":0,"echo":true})")["choices"][0]["text"], "é");
}

TEST_F(OpenAiCompletionsTest, prompts_and_choices_are_numbered) {
  const Json json = ask(R"({"prompt":["a","b"],"n":2,"best_of":2,"seed":5,"echo":true})");
  ASSERT_EQ(json["choices"].size(), 4u);
  EXPECT_EQ(json["choices"][1]["text"], "axyz");
  EXPECT_EQ(json["choices"][2]["text"], "bxyz");
  EXPECT_EQ(json["choices"][3]["index"], 3);
  EXPECT_EQ(json["usage"]["prompt_tokens"], 4);
  EXPECT_EQ(json["usage"]["prompt_cache_hit_tokens"], 2);
  EXPECT_EQ(json["usage"]["completion_tokens"], 12);
  EXPECT_EQ(runner_.tasks.at(1).sampling.seed, 6u);
  EXPECT_EQ(runner_.tasks.at(2).sampling.seed, 5u);
}

TEST_F(OpenAiCompletionsTest, streams_chunks) {
  ask(R"({"prompt":"ab","stream":true,"stream_options":{"include_usage":true},"echo":true,
      "max_tokens":1,"logprobs":1})");
  const std::vector<std::string> events = reply_->events();
  ASSERT_EQ(events.size(), 5u);
  const auto choice = [&](size_t i) { return Json::parse(events[i])["choices"][0]; };
  EXPECT_EQ(choice(0)["text"], "ab");
  EXPECT_EQ(choice(0)["logprobs"]["tokens"].size(), 3u);
  EXPECT_EQ(choice(1), Json::parse(R"({"index":0,"text":"x","logprobs":{"tokens":["x"],
      "token_logprobs":[-0.5],"top_logprobs":[{"x":-0.5}],"text_offset":[2]},
      "finish_reason":null})"));
  EXPECT_EQ(choice(2)["finish_reason"], "length");
  EXPECT_TRUE(Json::parse(events[2])["usage"].is_null());
  EXPECT_EQ(Json::parse(events[3])["usage"]["total_tokens"], 4);
  EXPECT_EQ(events[4], "[DONE]");
}

TEST_F(OpenAiCompletionsTest, gaps_are_filled_by_models_made_for_it) {
  const Json refused = ask(R"({"prompt":"a","suffix":"b"})");
  EXPECT_EQ(reply_->head->status, 400);
  EXPECT_EQ(refused["error"]["param"], "suffix");
  runner_.gaps = true;
  EXPECT_EQ(ask(R"({"prompt":"a","suffix":"b"})")["choices"][0]["text"], "xyz");
  EXPECT_EQ(runner_.tasks.at(0).prompt, (std::vector<int32_t>{'a', '_', 'b'}));
}

TEST_F(OpenAiCompletionsTest, names_the_wrong_field) {
  struct Wrong {
    std::string_view body;
    int status;
    std::string_view param;
  };
  const std::string many = "{\"prompt\":[" + std::string(128, ' ') + "\"a\"" + [] {
    std::string rest;
    for (int i = 0; i < 128; ++i) rest += ",\"a\"";
    return rest;
  }() + "]}";
  for (const Wrong& wrong :
       std::vector<Wrong>{{"{}", 400, "prompt"},
                          {R"({"prompt":7})", 400, "prompt"},
                          {R"({"prompt":[]})", 400, "prompt"},
                          {R"({"prompt":[[]]})", 400, "prompt[0]"},
                          {R"({"prompt":["a",[1]]})", 400, "prompt[1]"},
                          {R"({"prompt":[1,"a"]})", 400, "prompt[1]"},
                          {R"({"prompt":[1,-1]})", 422, "prompt[1]"},
                          {R"({"prompt":[true]})", 400, "prompt[0]"},
                          {R"({"prompt":"","add_special_tokens":false})", 400, "prompt"},
                          {many, 422, "prompt"},
                          {R"({"prompt":"a","max_tokens":0})", 422, "max_tokens"},
                          {R"({"prompt":"a","logprobs":true})", 400, "logprobs"},
                          {R"({"prompt":"a","logprobs":21})", 422, "logprobs"},
                          {R"({"prompt":"a","best_of":3})", 400, "best_of"},
                          {R"({"prompt":"a","n":9})", 422, "n"},
                          {R"({"prompt":[1],"suffix":"b"})", 400, "suffix"},
                          {R"({"prompt":"a","suffix":"b","echo":true})", 400, "suffix"}}) {
    const Json json = ask(std::string(wrong.body));
    EXPECT_EQ(reply_->head->status, wrong.status) << wrong.body;
    EXPECT_EQ(json["error"]["param"], wrong.param) << wrong.body;
    EXPECT_TRUE(runner_.tasks.empty());
  }
  const Json full = ask("{\"prompt\":\"" + std::string(64, 'a') + "\"}");
  EXPECT_EQ(full["error"]["code"], "context_length_exceeded");
  EXPECT_EQ(full["error"]["param"], "prompt");
}

TEST_F(OpenAiCompletionsTest, a_full_queue_ends_all_texts) {
  runner_.waits = true;
  runner_.room = 2;
  const Json json = ask(R"({"prompt":["a","b","c"]})");
  EXPECT_EQ(reply_->head->status, 429);
  EXPECT_EQ(json["error"]["code"], "queue_full");
  EXPECT_EQ(runner_.handle->cancelled, 2);
}

TEST_F(OpenAiCompletionsTest, a_failure_ends_all_texts_once) {
  runner_.waits = true;
  ask(R"({"prompt":["a","b"],"stream":true})");
  EXPECT_TRUE(reply_->streams);
  runner_.play(runner_.tasks[0], *runner_.listeners[0]);
  runner_.listeners[1]->failed(api_error(500, "disk"));
  runner_.listeners[1]->failed(api_error(500, "disk"));
  EXPECT_EQ(Json::parse(reply_->events().back())["error"]["message"], "disk");
  EXPECT_TRUE(reply_->ended);
}

TEST_F(OpenAiCompletionsTest, a_client_that_leaves_cancels_all_texts) {
  runner_.waits = true;
  ask(R"({"prompt":["a","b"]})");
  reply_->gone();
  EXPECT_EQ(runner_.handle->cancelled, 2);
  TurnUsage usage;
  runner_.listeners[0]->finished(TurnEnd::kCancelled, usage);
  runner_.listeners[1]->finished(TurnEnd::kCancelled, usage);
  EXPECT_EQ(reply_->head->status, 503);
  runner_.listeners.clear();
  EXPECT_EQ(runner_.handle.use_count(), 1);
}

}  // namespace
}  // namespace minke
