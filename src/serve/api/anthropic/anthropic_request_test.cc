#include "serve/api/anthropic/anthropic_request.h"

#include "serve/api/scripted_turn_test.h"

namespace minke {
namespace {

using scripted::refusal_of;

const ThinkingSignature kSignature({1, 2, 3});

AnthropicRequest read(const std::string& members, std::string messages = R"("hi")",
                      AnthropicPurpose purpose = AnthropicPurpose::kReply) {
  if (!messages.starts_with('[')) messages = R"([{"role": "user", "content": )" + messages + "}]";
  const std::string body = R"({"model": "claude-x", "max_tokens": 50, "messages": )" + messages +
                           (members.empty() ? "" : ", " + members) + "}";
  return read_anthropic_request(body, kSignature, purpose);
}

ApiError refusal(const std::string& members, const std::string& messages = R"("hi")") {
  return refusal_of([&] { read(members, messages); });
}

const std::string kTools =
    R"("tools": [{"name": "look", "description": "Looks.", "strict": true,
                  "cache_control": {"type": "ephemeral"},
                  "input_schema": {"type": "object", "properties": {"z": {}, "a": {}}}},
                 {"type": "custom", "name": "wait", "input_schema": {}}])";

TEST(AnthropicRequest, HasDefaults) {
  const AnthropicRequest request = read("");
  const TurnRequest& turn = request.turn;
  EXPECT_EQ(turn.model, "claude-x");
  EXPECT_EQ(turn.max_tokens, 50);
  EXPECT_EQ(turn.sampling.temperature, 1);
  EXPECT_FALSE(turn.conversation.thinking);
  EXPECT_FALSE(turn.continue_last);
  EXPECT_FALSE(request.stream);
  EXPECT_TRUE(turn.parallel_tools);
  ASSERT_EQ(turn.conversation.messages.size(), 1u);
  EXPECT_EQ(turn.conversation.messages[0].content, "hi");
  EXPECT_TRUE(request.ignored.empty());
}

TEST(AnthropicRequest, ReadsOptions) {
  const AnthropicRequest request = read(
      R"("stream": true, "temperature": 0.5, "top_p": 0.9, "top_k": 40, "stop_sequences": ["a", "b"],
         "thinking": {"type": "enabled", "budget_tokens": 1024}, "metadata": {"user_id": "u"},
         "system": [{"type": "text", "text": "s"}, {"type": "text", "text": "t"}], "seed": 5,
         "output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}},
         "service_tier": "auto", "betas": null)");
  const TurnRequest& turn = request.turn;
  EXPECT_TRUE(request.stream);
  EXPECT_TRUE(request.has_seed);
  EXPECT_EQ(turn.sampling.seed, 5u);
  EXPECT_EQ(turn.sampling.temperature, 0.5f);
  EXPECT_EQ(turn.sampling.top_p, 0.9f);
  EXPECT_EQ(turn.sampling.top_k, 40);
  EXPECT_EQ(turn.stops, (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(turn.conversation.thinking);
  EXPECT_EQ(request.user, "u");
  EXPECT_EQ(turn.format, TextFormat::kJsonSchema);
  EXPECT_EQ(turn.format_text, R"({"type":"object"})");
  EXPECT_EQ(turn.conversation.messages[0].role, Role::kSystem);
  EXPECT_EQ(turn.conversation.messages[0].content, "s\nt");
  EXPECT_EQ(request.ignored.header(), "thinking.budget_tokens, service_tier");
  EXPECT_TRUE(read(R"("thinking": {"type": "adaptive"})").turn.conversation.thinking);
  EXPECT_FALSE(read(R"("thinking": {"type": "disabled"})").turn.conversation.thinking);
}

TEST(AnthropicRequest, ReadsTools) {
  const TurnRequest turn = read(kTools).turn;
  ASSERT_EQ(turn.conversation.tools.size(), 2u);
  EXPECT_EQ(turn.conversation.tools[0].description, "Looks.");
  EXPECT_EQ(turn.conversation.tools[0].parameters,
            R"({"type":"object","properties":{"z":{},"a":{}}})");
  EXPECT_EQ(turn.strict_tools, (std::vector<bool>{true, false}));
  EXPECT_EQ(turn.tool_choice, ToolChoice::kAuto);

  const auto chosen = [&](const std::string& choice) {
    return read(kTools + R"(, "tool_choice": )" + choice).turn;
  };
  EXPECT_EQ(chosen(R"({"type": "any"})").tool_choice, ToolChoice::kRequired);
  EXPECT_EQ(chosen(R"({"type": "none"})").tool_choice, ToolChoice::kNone);
  const TurnRequest named =
      chosen(R"({"type": "tool", "name": "wait", "disable_parallel_tool_use": true})");
  EXPECT_EQ(named.tool_choice, ToolChoice::kNamed);
  EXPECT_EQ(named.named_tool, "wait");
  EXPECT_FALSE(named.parallel_tools);
}

TEST(AnthropicRequest, ReadsAConversationWithTools) {
  const std::string signature = kSignature.sign("hm");
  const TurnRequest turn = read("", R"([
      {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
      {"role": "assistant", "content": [
        {"type": "thinking", "thinking": "hm", "signature": ")" +
                                        signature + R"("},
        {"type": "thinking", "thinking": "forged", "signature": ")" +
                                        signature + R"("},
        {"type": "thinking", "thinking": "unsigned"},
        {"type": "redacted_thinking", "data": "x"},
        {"type": "text", "text": "Looking."},
        {"type": "tool_use", "id": "1", "name": "look", "input": {"z": 1, "a": 2.50}},
        {"type": "tool_use", "id": "2", "name": "wait"}]},
      {"role": "user", "content": [
        {"type": "text", "text": "Well?"},
        {"type": "tool_result", "tool_use_id": "2", "is_error": true, "content": "late"},
        {"type": "tool_result", "tool_use_id": "1",
         "content": [{"type": "text", "text": "blue"}]}]},
      {"role": "user", "content": "So?"}])")
                               .turn;
  const auto& messages = turn.conversation.messages;
  ASSERT_EQ(messages.size(), 5u);
  EXPECT_EQ(messages[0].content, "a\nb");
  EXPECT_EQ(messages[1].reasoning, "hm");
  EXPECT_EQ(messages[1].content, "Looking.");
  EXPECT_EQ(messages[1].tool_calls,
            (std::vector<ToolCall>{{"look", R"({"z":1,"a":2.5})"}, {"wait", "{}"}}));
  EXPECT_EQ(messages[2].role, Role::kTool);
  EXPECT_EQ(messages[2].content, "blue");
  EXPECT_EQ(messages[3].content, "Error: late");
  EXPECT_EQ(messages[4].role, Role::kUser);
  EXPECT_EQ(messages[4].content, "Well?\nSo?");
}

TEST(AnthropicRequest, GoesOnWithTheAssistantsLastMessage) {
  const TurnRequest turn = read("", R"([{"role": "user", "content": "Count."},
                                        {"role": "assistant", "content": "One, "}])")
                               .turn;
  EXPECT_TRUE(turn.continue_last);
  EXPECT_EQ(turn.conversation.messages.back().content, "One, ");
}

TEST(AnthropicRequest, CountsWithoutALimit) {
  const std::string body = R"({"model": "m", "messages": [{"role": "user", "content": "x"}]})";
  EXPECT_NO_THROW(read_anthropic_request(body, kSignature, AnthropicPurpose::kCount));
  const ApiError error =
      refusal_of([&] { read_anthropic_request(body, kSignature, AnthropicPurpose::kReply); });
  EXPECT_EQ(error.message, "max_tokens: expected this field, found nothing");
}

TEST(AnthropicRequest, RefusesWhatItCannotDo) {
  struct Case {
    std::string members, messages, param;
  };
  const std::vector<Case> cases = {
      {"", R"([{"type": "image", "source": {}}])", "messages[0].content[0].type"},
      {"", R"([{"type": "document", "source": {}}])", "messages[0].content[0].type"},
      {"", R"([{"type": "tool_use", "id": "1"}])", "messages[0].content[0].type"},
      {"", R"([{"type": "tool_result", "tool_use_id": "1"}])",
       "messages[0].content[0].tool_use_id"},
      {"", R"([{"role": "robot", "content": "x"}])", "messages[0].role"},
      {"", R"([{"role": "assistant", "content": [{"type": "image"}]}])",
       "messages[0].content[0].type"},
      {"", R"([{"role": "assistant", "content":
                [{"type": "tool_use", "id": "1", "name": "f", "input": "x"}]}])",
       "messages[0].content[0].input"},
      {"", R"([{"role": "assistant", "content": [{"type": "tool_use", "id": "1", "name": "f"}]}])",
       "messages[0].content[0].id"},
      {"", "[]", "messages"},
      {R"("system": 1)", "\"x\"", "system"},
      {R"("system": [{"type": "image"}])", "\"x\"", "system[0].type"},
      {R"("temperature": 2.5)", "\"x\"", "temperature"},
      {R"("top_k": -1)", "\"x\"", "top_k"},
      {R"("stop_sequences": [""])", "\"x\"", "stop_sequences[0]"},
      {R"("stream": "yes")", "\"x\"", "stream"},
      {R"("thinking": {"type": "maybe"})", "\"x\"", "thinking.type"},
      {R"("thinking": {"type": "enabled", "budget_tokens": 0})", "\"x\"", "thinking.budget_tokens"},
      {R"("tools": [{"type": "web_search_20250305", "name": "web_search"}])", "\"x\"",
       "tools[0].type"},
      {R"("tools": [{"name": "f"}])", "\"x\"", "tools[0].input_schema"},
      {R"("tools": [{"name": "f", "input_schema": []}])", "\"x\"", "tools[0].input_schema"},
      {R"("tools": [{"name": "f", "input_schema": {}}, {"name": "f", "input_schema": {}}])",
       "\"x\"", "tools[1].name"},
      {kTools + R"(, "tool_choice": {"type": "tool", "name": "f"})", "\"x\"", "tool_choice.name"},
      {R"("tool_choice": {"type": "any"})", "\"x\"", "tool_choice"},
      {R"("container": "c")", "\"x\"", "container"},
      {R"("mcp_servers": [{}])", "\"x\"", "mcp_servers"},
      {R"("output_config": {"format": {"type": "xml"}})", "\"x\"", "output_config.format.type"},
      {R"("metadata": {"user_id": ")" + std::string(513, 'u') + "\"}", "\"x\"",
       "metadata.user_id"}};
  for (const Case& one : cases) {
    std::string messages = one.messages;
    const bool blocks = messages.starts_with("[{\"type\"");
    if (blocks) messages = R"([{"role": "user", "content": )" + messages + "}]";
    const ApiError error = refusal(one.members, messages);
    EXPECT_EQ(error.param, one.param) << error.message;
    EXPECT_EQ(error.status, 400);
    EXPECT_TRUE(error.message.starts_with(one.param + ": ")) << error.message;
  }
  EXPECT_EQ(refusal(R"("tools": [{"type": "bash_20250124", "name": "bash"}])").message,
            "tools[0].type: tools that run on the server, those of type \"bash_20250124\" are not "
            "supported");
}

}  // namespace
}  // namespace minke
