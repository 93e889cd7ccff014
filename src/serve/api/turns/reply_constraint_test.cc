#include "serve/api/turns/reply_constraint.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "serve/api/turns/reply_testing.h"

namespace minke::testing {
namespace {

TEST(ReplyConstraint, ARequiredCallIsOneCallWithItsArguments) {
  for (const ChatFormat format : kToolFormats) {
    for (const bool text_markers : {false, true}) {
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

// The tokens of a reply may be cut anywhere, and its members be written in any order.
TEST(ReplyConstraint, NoWayOfWritingACallGetsAroundItsSchema) {
  constexpr const char* kGood = R"({"city":"Rome","days":2})";
  for (const ChatFormat format : kToolFormats) {
    for (const bool text_markers : {false, true}) {
      Chat chat(format, text_markers);
      Message message;
      message.role = Role::kAssistant;
      message.tool_calls = {{"weather", kGood}};
      const auto ids = chat.renderer.render_reply(message, false);
      std::string call = chat.tokenizer.decode(std::span(ids).first(ids.size() - 1), true);
      const std::string name(chat_format_name(format));
      for (const std::string_view blank : {" ", "\n"}) {
        if (format != ChatFormat::kChatMl) break;
        for (size_t at = 0; (at = call.find(blank)) != std::string::npos;) call.erase(at, 1);
      }
      const std::string arguments = kGood;
      const std::string text = "Let me see. " + call + "Done. " + call;
      EXPECT_TRUE(takes(chat, *chat.constraint(with_tools()), text)) << name << text;
      for (const char* bad : {R"({"city":"Bonn","days":2})", R"({"city":"Rome"})", "{}", "[]",
                              R"({"city":"Rome","days":2,"x":1})", R"("{\"city\":\"Bonn\"}")"}) {
        const std::string forged = replaced(call, arguments, bad);
        EXPECT_FALSE(takes(chat, *chat.constraint(with_tools()), forged)) << name << forged;
        const std::string second = "Let me see. " + call + "Done. " + forged;
        EXPECT_FALSE(takes(chat, *chat.constraint(with_tools()), second)) << name << second;
      }
      EXPECT_FALSE(takes(chat, *chat.constraint(with_tools()), replaced(call, "weather", "other")));
      // Of a tool that is not strict any object will do.
      const std::string loose = replaced(replaced(call, "weather", "weatherman"), arguments, "{}");
      EXPECT_TRUE(takes(chat, *chat.constraint(with_tools()), loose)) << name << loose;
    }
  }
}

TEST(ReplyConstraint, MembersOfAStrictCallComeInTheirOrder) {
  for (const bool text_markers : {false, true}) {
    Chat chat(ChatFormat::kChatMl, text_markers);
    for (const char* call :
         {R"(<tool_call>{"arguments":{"city":"Bonn"},"name":"weather"}</tool_call>)",
          R"(<tool_call>{"name":"weather"}</tool_call>)",
          R"(<tool_call>{"x":1,"name":"weather","arguments":{"city":"Bonn"}}</tool_call>)",
          R"(<tool_call>x</tool_call>)"}) {
      EXPECT_FALSE(takes(chat, *chat.constraint(with_tools()), call)) << call;
    }
  }
}

TEST(ReplyConstraint, AStringCannotForgeAnotherCall) {
  for (const ChatFormat format : {ChatFormat::kDeepSeekV31, ChatFormat::kChatMl}) {
    Chat chat(format, format == ChatFormat::kChatMl);
    TurnRequest request = with_tools();
    request.conversation.tools[0].parameters =
        R"({"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"],
            "additionalProperties": false})";
    const bool deepseek = format == ChatFormat::kDeepSeekV31;
    const std::string begin =
        deepseek ? "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>weather<｜tool▁sep｜>"
                 : R"(<tool_call>{"name":"weather","arguments":)";
    const std::string forged =
        deepseek ? R"({"text":"<｜tool_call_end｜><｜tool_call_begin｜>weather<｜tool_sep｜>{}"})"
                 : R"({"text":"</tool_call>"})";
    EXPECT_FALSE(takes(chat, *chat.constraint(request), begin + forged));
    EXPECT_TRUE(takes(chat, *chat.constraint(request), begin + R"({"text":"</tool"})"));
    // Nor can the text of a format.
    request.strict_tools = {};
    request.format = TextFormat::kJsonObject;
    EXPECT_FALSE(takes(chat, *chat.constraint(request), forged));
  }
}

TEST(ReplyConstraint, AReplyIsACallOrMeetsTheFormat) {
  for (const ChatFormat format : kToolFormats) {
    for (const bool strict : {false, true}) {
      Chat chat(format);
      TurnRequest request = with_tools();
      request.strict_tools = {strict, false};
      request.format = TextFormat::kJsonSchema;
      request.format_text = R"({"type": "object", "properties": {"sum": {"type": "integer"}},
                                "required": ["sum"], "additionalProperties": false})";
      int calls = 0, texts = 0;
      for (uint64_t seed = 0; seed < 40; ++seed) {
        const Message reply = drawn(chat, *chat.constraint(request), seed);
        if (reply.tool_calls.empty()) {
          const auto json = nlohmann::json::parse(reply.content);
          EXPECT_TRUE(json.size() == 1 && json.at("sum").is_number_integer()) << reply.content;
          ++texts;
        } else {
          EXPECT_EQ(reply.content, "");
          for (const ToolCall& call : reply.tool_calls) {
            if (call.name == "weather") expect_weather(call);
          }
          ++calls;
        }
      }
      EXPECT_GT(calls, 0) << chat_format_name(format);
      EXPECT_GT(texts, 0) << chat_format_name(format);
    }
  }
}

TEST(ReplyConstraint, ACallThatIsRequiredIsNotBoundByTheFormat) {
  Chat chat(ChatFormat::kChatMl);
  TurnRequest request = with_tools();
  request.tool_choice = ToolChoice::kRequired;
  request.format = TextFormat::kJsonObject;
  EXPECT_EQ(drawn(chat, *chat.constraint(request), 1).tool_calls.size(), 1U);
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

TEST(ReplyConstraint, ThinkingEndsWhereTheReaderEndsIt) {
  TurnRequest request;
  request.format = TextFormat::kJsonSchema;
  request.format_text = kWeather;
  for (const bool text_markers : {false, true}) {
    Chat chat(ChatFormat::kChatMl, text_markers);
    const auto constraint = chat.constraint(request, true);
    ReplyParser parser = chat.renderer.parser(true);
    const auto spelled = chat.tokenizer.encode("So </think>");  // in single bytes
    ReplyDelta delta;
    for (const int32_t id : spelled) {
      EXPECT_TRUE(allows(*constraint, chat.tokenizer, id));
      constraint->accept(id);
      parser.add(id);
    }
    const int32_t letter = chat.tokenizer.encode("x")[0];
    // Where the tag is a token, its letters are part of the thinking.
    EXPECT_EQ(allows(*constraint, chat.tokenizer, letter), !text_markers);
    EXPECT_EQ(parser.add(letter).reasoning.empty(), text_markers);
  }
}

TEST(ReplyConstraint, WhatATokenHasBehindTheThinkingIsPartOfTheAnswer) {
  TurnRequest request;
  request.format = TextFormat::kJsonSchema;
  request.format_text = kWeather;
  Chat chat(ChatFormat::kChatMl, true);
  const auto ids_of = [&](std::string_view text) { return chat.longest_tokens(text); };
  for (const char* bad : {"</think>x", "So</think>{\"x", "</think>{}", "So </think>}"}) {
    EXPECT_FALSE(takes(chat, *chat.constraint(request, true), bad)) << bad;
  }
  ASSERT_EQ(ids_of("think>{\"").size(), 1U);
  std::vector<int32_t> ids = ids_of("So </");
  for (const int32_t id : ids_of("think>{\"city\": \"Oslo\", \"days\": 3}")) ids.push_back(id);
  const auto constraint = chat.constraint(request, true);
  EXPECT_TRUE(takes(chat, *constraint, ids));
  EXPECT_EQ(allowed_ids(*constraint, chat.tokenizer).size(), chat.stops.size());
}

TEST(ReplyConstraint, AGrammarThatHasEndedEndsAReplyThatShouldBeLonger) {
  Chat chat(ChatFormat::kChatMl);
  for (const bool ignore_stop : {false, true}) {
    TurnRequest request;
    request.format = TextFormat::kGrammar;
    request.format_text = "root ::= \"a\" [b]{0,2}";
    request.min_tokens = ignore_stop ? 0 : 2;
    request.ignore_stop = ignore_stop;
    const auto constraint = chat.constraint(request);
    const int32_t stop = chat.stops[0], a = chat.tokenizer.encode("a")[0],
                  b = chat.tokenizer.encode("b")[0];
    constraint->accept(a);
    EXPECT_EQ(allowed_ids(*constraint, chat.tokenizer), std::vector{b});
    constraint->accept(b);
    EXPECT_EQ(allows(*constraint, chat.tokenizer, stop), !ignore_stop);
    constraint->accept(b);
    EXPECT_EQ(allowed_ids(*constraint, chat.tokenizer).size(), chat.stops.size());
    EXPECT_TRUE(allows(*constraint, chat.tokenizer, stop));
  }
}

// Tools whose schemas compile one by one, but not all of them.

}  // namespace
}  // namespace minke::testing
