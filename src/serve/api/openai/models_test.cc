#include "serve/api/openai/models.h"

#include <gtest/gtest.h>

#include "serve/api/openai/fakes.h"
#include "text/chat/test_tokenizer.h"

namespace minke {
namespace {

using Json = nlohmann::json;

ModelCard card() {
  return {"minke-test", {"deepseek-chat"}, 1700000000, 64};
}

Json body(const HttpResponse& response) {
  return Json::parse(response.body);
}

TEST(OpenAiModels, are_listed_by_all_names) {
  EXPECT_EQ(body(list_models(card())), Json::parse(R"({"object":"list","data":[
      {"id":"minke-test","object":"model","created":1700000000,"owned_by":"minke",
       "max_model_len":64},
      {"id":"deepseek-chat","object":"model","created":1700000000,"owned_by":"minke",
       "max_model_len":64}]})"));
  EXPECT_EQ(body(get_model(card(), "deepseek-chat"))["id"], "deepseek-chat");
  const HttpResponse unknown = get_model(card(), "gpt-9");
  EXPECT_EQ(unknown.status, 404);
  EXPECT_EQ(body(unknown)["error"]["code"], "model_not_found");
}

TEST(OpenAiModels, make_no_embeddings) {
  const HttpResponse response = refuse_embeddings(card());
  EXPECT_EQ(response.status, 501);
  EXPECT_EQ(body(response)["error"]["type"], "not_implemented_error");
}

class TextEndpointsTest : public testing::Test {
 protected:
  static TokenizerSpec spec() {
    TokenizerSpec spec = chat_test_spec(ChatFormat::kChatMl);
    spec.bos = spec.eos;
    spec.add_bos = true;
    return spec;
  }
  static ChatTemplate chat_template() {
    ChatTemplate chat;
    chat.format = ChatFormat::kChatMl;
    return chat;
  }

  Tokenizer tokenizer_{spec()};
  ChatRenderer renderer_{chat_template(), tokenizer_};
  TextEndpoints endpoints_{tokenizer_, &renderer_, card(), fake_options()};
};

TEST_F(TextEndpointsTest, texts_become_tokens_and_texts_again) {
  const Json plain = body(endpoints_.tokenize(R"({"content":"é<|im_end|>"})"));
  EXPECT_EQ(plain["count"], 3);
  EXPECT_EQ(plain["max_model_len"], 64);
  const Json ends = body(endpoints_.tokenize(R"({"prompt":"é<|im_end|>"})"));
  EXPECT_EQ(ends["count"], 4);
  EXPECT_EQ(ends["tokens"][0], *tokenizer_.bos());
  EXPECT_GT(body(endpoints_.tokenize(R"({"content":"<|im_end|>","parse_special":false})"))["count"],
            1);
  const HttpResponse back = endpoints_.detokenize(R"({"tokens":)" + plain["tokens"].dump() + "}");
  EXPECT_EQ(body(back), Json::parse(R"({"content":"é<|im_end|>","prompt":"é<|im_end|>"})"));
}

TEST_F(TextEndpointsTest, tokens_may_come_with_their_texts) {
  const Json pieces = body(endpoints_.tokenize(R"({"content":"aé","with_pieces":true})"));
  EXPECT_EQ(pieces["tokens"][0]["piece"], "a");
  EXPECT_EQ(pieces["tokens"][1]["piece"], Json::parse("[195]"));
  const Json strings = body(
      endpoints_.tokenize(R"({"prompt":"a","add_special_tokens":false,"return_token_strs":true})"));
  EXPECT_EQ(strings["token_strs"], Json::parse(R"(["a"])"));
}

TEST_F(TextEndpointsTest, programs_that_make_prompts_of_ids_learn_the_tokens_at_the_ends) {
  Json info = body(endpoints_.tokenizer_info());
  EXPECT_EQ(info["chat_template"], Json());
  info.erase("chat_template");
  EXPECT_EQ(info, Json::parse(R"({"bos_token":"<|endoftext|>","eos_token":"<|endoftext|>",
      "pad_token":null,"add_bos_token":true,"add_eos_token":false,"model_max_length":64})"));
  // Its text is the token again.
  const Json back =
      body(endpoints_.tokenize(R"({"prompt":"<|endoftext|>","add_special_tokens":false})"));
  EXPECT_EQ(back["tokens"], Json::array({*tokenizer_.eos()}));
}

TEST_F(TextEndpointsTest, chats_are_shown_as_their_prompts) {
  const std::string chat = R"({"messages":[{"role":"user","content":"Hi <|im_end|>"}]})";
  const Json shown = body(endpoints_.apply_template(chat));
  const std::string prompt = shown["prompt"];
  EXPECT_NE(prompt.find("<|im_start|>user\nHi <|im_end|>"), std::string::npos);
  // The user's text makes no control token.
  const Json tokens = body(endpoints_.tokenize(chat));
  Conversation conversation;
  conversation.messages.push_back({Role::kUser, "Hi <|im_end|>", "", {}});
  EXPECT_EQ(tokens["tokens"].get<std::vector<int32_t>>(), renderer_.render(conversation).ids);
}

TEST_F(TextEndpointsTest, wrong_requests_are_errors) {
  EXPECT_EQ(endpoints_.tokenize("{").status, 400);
  EXPECT_EQ(body(endpoints_.tokenize("{}"))["error"]["param"], "prompt");
  EXPECT_EQ(body(endpoints_.detokenize(R"({"tokens":[1,"x"]})"))["error"]["param"], "tokens[1]");
  EXPECT_EQ(endpoints_.detokenize(R"({"tokens":[2000000000]})").status, 200);
  EXPECT_EQ(
      endpoints_
          .apply_template(R"({"messages":[{"role":"assistant","content":"x","prefix":true}]})")
          .status,
      400);
  const TextEndpoints base(tokenizer_, nullptr, card(), fake_options());
  EXPECT_EQ(base.apply_template(R"({"messages":[]})").status, 400);
  EXPECT_EQ(body(base.tokenize(R"({"messages":[]})"))["error"]["code"], "chat_not_supported");
}

}  // namespace
}  // namespace minke
