#include "serve/api/turns/reply_constraint.h"

#include <algorithm>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/core/rng.h"
#include "text/chat/test_tokenizer.h"

namespace minke {
namespace {

constexpr const char* kWeather =
    R"({"type": "object", "properties": {"city": {"enum": ["Rome", "Oslo"]},
        "days": {"type": "integer", "minimum": 1, "maximum": 3}},
        "required": ["city", "days"], "additionalProperties": false})";

// A format with all that constraints need of it.
struct Chat {
  explicit Chat(ChatFormat format, bool text_markers = false)
      : tokenizer(chat_test_spec(format, text_markers)),
        renderer(chat_template(format), tokenizer),
        trie(std::make_shared<TokenTrie>(tokenizer)),
        stops(renderer.stop_ids()) {}

  static ChatTemplate chat_template(ChatFormat format) {
    ChatTemplate t;
    t.format = format;
    return t;
  }

  std::shared_ptr<TokenConstraint> constraint(const TurnRequest& request, bool thinking = false) {
    return reply_constraint({&tokenizer, &renderer, trie, &stops, thinking}, request);
  }

  Tokenizer tokenizer;
  ChatRenderer renderer;
  std::shared_ptr<const TokenTrie> trie;
  std::vector<int32_t> stops;
};

TurnRequest with_tools() {
  TurnRequest request;
  request.conversation.tools = {{"weather", "", kWeather}, {"weatherman", "", ""}};
  request.strict_tools = {true, false};
  return request;
}

std::vector<int32_t> allowed_ids(TokenConstraint& constraint, const Tokenizer& tokenizer) {
  std::vector<uint64_t> bits((static_cast<size_t>(tokenizer.size()) + 63) / 64);
  constraint.allowed(bits);
  std::vector<int32_t> ids;
  for (int32_t id = 0; id < tokenizer.size(); ++id) {
    if (bits[static_cast<size_t>(id) / 64] >> (id % 64) & 1) ids.push_back(id);
  }
  return ids;
}

bool allows(TokenConstraint& constraint, const Tokenizer& tokenizer, int32_t id) {
  const auto ids = allowed_ids(constraint, tokenizer);
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

// Random draws within the constraint until a token ends the reply; what the client would see.
Message drawn(Chat& chat, TokenConstraint& constraint, uint64_t seed) {
  Rng rng(seed);
  Message reply;
  ReplyParser parser = chat.renderer.parser(false);
  const auto keep = [&](const ReplyDelta& delta) {
    reply.content += delta.content;
    for (const ToolCall& call : delta.tool_calls) reply.tool_calls.push_back(call);
  };
  for (int i = 0; i < 4000; ++i) {
    const auto ids = allowed_ids(constraint, chat.tokenizer);
    if (ids.empty()) break;
    const int32_t id = ids[rng.below(ids.size())];
    constraint.accept(id);
    if (std::find(chat.stops.begin(), chat.stops.end(), id) != chat.stops.end()) {
      keep(parser.finish());
      return reply;
    }
    keep(parser.add(id));
  }
  ADD_FAILURE() << "no end; so far: " << reply.content;
  return reply;
}

void expect_weather(const ToolCall& call) {
  EXPECT_EQ(call.name, "weather");
  const auto arguments = nlohmann::json::parse(call.arguments);
  EXPECT_EQ(arguments.size(), 2U);
  EXPECT_TRUE(arguments.at("city") == "Rome" || arguments.at("city") == "Oslo");
  EXPECT_TRUE(arguments.at("days") >= 1 && arguments.at("days") <= 3);
}

TEST(ReplyConstraint, ARequiredCallIsOneCallWithItsArguments) {
  for (const ChatFormat format : {ChatFormat::kChatMl, ChatFormat::kDeepSeekV3,
                                  ChatFormat::kDeepSeekR1, ChatFormat::kDeepSeekV31}) {
    for (const bool text_markers : {false, true}) {
      if (text_markers && format != ChatFormat::kChatMl) continue;
      Chat chat(format, text_markers);
      TurnRequest request = with_tools();
      request.tool_choice = ToolChoice::kNamed;
      request.named_tool = "weather";
      for (uint64_t seed = 0; seed < 20; ++seed) {
        const Message reply = drawn(chat, *chat.constraint(request), seed);
        ASSERT_EQ(reply.tool_calls.size(), 1U) << chat_format_name(format) << ": " << reply.content;
        expect_weather(reply.tool_calls[0]);
      }
    }
  }
}

TEST(ReplyConstraint, ARequiredCallMayBeOfAnyTool) {
  Chat chat(ChatFormat::kDeepSeekV31);
  TurnRequest request = with_tools();
  request.tool_choice = ToolChoice::kRequired;
  request.conversation.tools[1].parameters = R"({"type": "object", "additionalProperties": false})";
  std::vector<std::string> names;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const Message reply = drawn(chat, *chat.constraint(request), seed);
    ASSERT_EQ(reply.tool_calls.size(), 1U);
    names.push_back(reply.tool_calls[0].name);
  }
  EXPECT_NE(std::find(names.begin(), names.end(), "weather"), names.end());
  EXPECT_NE(std::find(names.begin(), names.end(), "weatherman"), names.end());
}

TEST(ReplyConstraint, StrictCallsInFreeTextKeepToTheirSchemas) {
  Chat chat(ChatFormat::kChatMl);
  const auto constraint = chat.constraint(with_tools());
  ASSERT_NE(constraint, nullptr);
  // The model's blanks need not be the template's.
  for (const int32_t id : chat.tokenizer.encode("Let me see. ")) constraint->accept(id);
  const std::string opening = "<tool_call>{\"name\":\"weather\", \"arguments\":";
  for (const int32_t id : chat.tokenizer.encode(opening, Tokenizer::Special::kAll)) {
    EXPECT_TRUE(allows(*constraint, chat.tokenizer, id));
    constraint->accept(id);
  }
  const int32_t brace = chat.tokenizer.encode("{")[0], letter = chat.tokenizer.encode("x")[0];
  EXPECT_TRUE(allows(*constraint, chat.tokenizer, brace));
  EXPECT_FALSE(allows(*constraint, chat.tokenizer, letter));
}

TEST(ReplyConstraint, ThinkingIsFreeAndCannotEndTheReply) {
  Chat chat(ChatFormat::kDeepSeekR1);
  TurnRequest request;
  request.format = TextFormat::kJsonSchema;
  request.format_text = kWeather;
  const auto constraint = chat.constraint(request, true);
  const int32_t letter = chat.tokenizer.encode("x")[0];
  EXPECT_TRUE(allows(*constraint, chat.tokenizer, letter));
  EXPECT_FALSE(allows(*constraint, chat.tokenizer, chat.stops[0]));
  constraint->accept(letter);
  constraint->accept(*chat.tokenizer.special_id("</think>"));
  EXPECT_FALSE(allows(*constraint, chat.tokenizer, letter));
  const Message reply = drawn(chat, *constraint, 1);
  EXPECT_NO_THROW(static_cast<void>(nlohmann::json::parse(reply.content).at("city")));
}

TEST(ReplyConstraint, NothingIsAskedNothingIsKept) {
  Chat chat(ChatFormat::kChatMl);
  EXPECT_EQ(chat.constraint({}), nullptr);
  TurnRequest request = with_tools();
  request.tool_choice = ToolChoice::kNone;
  EXPECT_EQ(chat.constraint(request), nullptr);
}

TEST(ReplyConstraint, SchemasThatCannotBeKeptToAreRefusedByName) {
  Chat chat(ChatFormat::kChatMl);
  TurnRequest request = with_tools();
  request.conversation.tools[0].parameters = R"({"type": "array", "uniqueItems": true})";
  try {
    chat.constraint(request);
    FAIL() << "no error";
  } catch (const ApiFailure& failure) {
    EXPECT_EQ(failure.error().status, 400);
    EXPECT_EQ(failure.error().param, "tools[0].function.parameters");
    EXPECT_NE(failure.error().message.find("uniqueItems"), std::string::npos);
  }
  request = {};
  request.format = TextFormat::kGrammar;
  request.format_text = "root ::= missing";
  EXPECT_THROW(chat.constraint(request), ApiFailure);
  request = with_tools();
  request.tool_choice = ToolChoice::kRequired;
  request.format = TextFormat::kJsonObject;
  EXPECT_THROW(chat.constraint(request), ApiFailure);
}

}  // namespace
}  // namespace minke
