#include "serve/api/turns/reply_rules.h"

#include <gtest/gtest.h>

#include "serve/api/api_errors.h"
#include "serve/api/turns/reply_testing.h"

namespace minke::testing {
namespace {

TEST(ReplyRules, ChoicesShareWhatIsCompiled) {
  Chat chat(ChatFormat::kChatMl);
  TurnRequest request = with_tools();
  request.choices = 8;
  const auto rules = chat.rules(request);
  const auto used = rules->inside.use_count();
  std::vector<std::unique_ptr<TokenConstraint>> choices;
  for (int i = 0; i < request.choices; ++i) choices.push_back(reply_constraint(rules));
  EXPECT_EQ(rules->inside.use_count(), used + request.choices);
  // One choice does not move the others.
  const auto ids = chat.longest_tokens("<tool_call>{\"name");
  EXPECT_TRUE(takes(chat, *choices[0], ids));
  const int32_t letter = chat.tokenizer.encode("x")[0];
  EXPECT_FALSE(allows(*choices[0], chat.tokenizer, letter));
  EXPECT_TRUE(allows(*choices[1], chat.tokenizer, letter));
}

TEST(ReplyRules, TheSchemasOfARequestHaveOneBudget) {
  Chat chat(ChatFormat::kChatMl);
  TurnRequest request;
  for (int i = 0; i < 128; ++i) {
    const std::string name = "tool_" + std::to_string(i);
    request.conversation.tools.push_back(
        {name, "",
         R"({"type": "object", "properties": {")" + name +
             R"(": {"type": "string", "maxLength": 3000}}, "required": [")" + name +
             R"("], "additionalProperties": false})"});
    request.strict_tools.push_back(true);
  }
  try {
    chat.rules(request);
    FAIL() << "no error";
  } catch (const ApiFailure& failure) {
    EXPECT_EQ(failure.error().status, 400);
    EXPECT_EQ(failure.error().param.substr(0, 5), "tools");
  }
  // Tools that are not strict lose their schemas rather than the request.
  request.strict_tools = {true};
  const auto constraint = chat.constraint(request);
  EXPECT_TRUE(takes(chat, *constraint,
                    R"(<tool_call>{"name":"tool_0","arguments":{"tool_0":"a"}}</tool_call>)"));
  EXPECT_TRUE(
      takes(chat, *constraint, R"(<tool_call>{"name":"tool_127","arguments":{}}</tool_call>)"));
  EXPECT_FALSE(takes(chat, *constraint, R"(<tool_call>{"name":"tool_0","arguments":{}})"));
}

TEST(ReplyRules, NothingIsAskedNothingIsKept) {
  Chat chat(ChatFormat::kChatMl);
  EXPECT_EQ(chat.constraint({}), nullptr);
  TurnRequest request = with_tools();
  request.tool_choice = ToolChoice::kNone;
  EXPECT_EQ(chat.constraint(request), nullptr);
}

TEST(ReplyRules, SchemasThatCannotBeKeptToAreRefusedByName) {
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
}

}  // namespace
}  // namespace minke::testing
