#include "serve/api/responses/responses_request.h"

#include "serve/api/scripted_turn_test.h"

namespace minke {
namespace {

using scripted::refusal_of;

ResponsesRequest read(const std::string& members, const std::string& input = R"("hi")") {
  return read_responses_request(R"({"model": "m", "input": )" + input +
                                (members.empty() ? "" : ", " + members) + "}");
}

std::vector<Message> messages_of(const std::string& input) {
  return read("", input).turn.conversation.messages;
}

const std::string kTools =
    R"("tools": [{"type": "function", "name": "look", "description": "Looks.", "strict": true,
                  "parameters": {"type": "object", "properties": {"z": {}, "a": {}}}},
                 {"type": "function", "name": "wait", "parameters": null}])";

TEST(ResponsesRequest, HasDefaults) {
  const ResponsesRequest request = read(R"("store": null, "tools": null, "reasoning": null)");
  EXPECT_EQ(request.turn.model, "m");
  EXPECT_EQ(request.turn.max_tokens, 0);
  EXPECT_TRUE(request.turn.conversation.thinking);
  EXPECT_TRUE(request.turn.parallel_tools);
  EXPECT_FALSE(request.turn.log_probabilities);
  EXPECT_FALSE(request.stream);
  ASSERT_EQ(request.turn.conversation.messages.size(), 1u);
  EXPECT_EQ(request.turn.conversation.messages[0].role, Role::kUser);
  EXPECT_TRUE(request.ignored.empty());
  EXPECT_EQ(request.echo["text"], (WireJson{{"format", {{"type", "text"}}}}));
  EXPECT_EQ(request.echo["tool_choice"], "auto");
  EXPECT_EQ(request.echo["store"], false);
  EXPECT_FALSE(request.echo.contains("user"));
}

TEST(ResponsesRequest, ReadsOptionsAndRepeatsThem) {
  const ResponsesRequest request = read(
      R"("stream": true, "temperature": 0.5, "top_p": 0.25, "max_output_tokens": 99, "seed": 4,
         "instructions": "Be brief.", "reasoning": {"effort": "high", "summary": "auto"},
         "include": ["message.output_text.logprobs"], "top_logprobs": 3,
         "metadata": {"k": "v"}, "user": "u", "safety_identifier": "s",
         "prompt_cache_key": "p", "parallel_tool_calls": false, "store": true, "truncation": "auto",
         "client_metadata": {})");
  const TurnRequest& turn = request.turn;
  EXPECT_TRUE(request.stream);
  EXPECT_TRUE(request.has_seed);
  EXPECT_EQ(turn.sampling.temperature, 0.5f);
  EXPECT_EQ(turn.sampling.top_p, 0.25f);
  EXPECT_EQ(turn.max_tokens, 99);
  EXPECT_TRUE(turn.log_probabilities);
  EXPECT_EQ(turn.top, 3);
  EXPECT_FALSE(turn.parallel_tools);
  EXPECT_EQ(request.user, "s");
  EXPECT_EQ(turn.conversation.messages[0].role, Role::kSystem);
  EXPECT_EQ(turn.conversation.messages[0].content, "Be brief.");
  EXPECT_EQ(request.ignored.header(),
            "reasoning.summary, prompt_cache_key, store, truncation, client_metadata");
  const WireJson& echo = request.echo;
  EXPECT_EQ(echo["instructions"], "Be brief.");
  EXPECT_EQ(echo["temperature"], 0.5);
  EXPECT_EQ(echo["max_output_tokens"], 99);
  EXPECT_EQ(echo["reasoning"], (WireJson{{"effort", "high"}, {"summary", "auto"}}));
  EXPECT_EQ(echo["metadata"], (WireJson{{"k", "v"}}));
  EXPECT_EQ(echo["user"], "u");
  EXPECT_EQ(echo["store"], false);
  EXPECT_EQ(echo["truncation"], "disabled");
  EXPECT_FALSE(read(R"("reasoning": {"effort": "none"})").turn.conversation.thinking);
}

TEST(ResponsesRequest, ReadsTextFormats) {
  EXPECT_EQ(read(R"("text": {"format": {"type": "json_object"}})").turn.format,
            TextFormat::kJsonObject);
  const ResponsesRequest request = read(
      R"("text": {"format": {"type": "json_schema", "name": "n", "strict": true,
                             "schema": {"type": "object"}}, "verbosity": "low"})");
  EXPECT_EQ(request.turn.format, TextFormat::kJsonSchema);
  EXPECT_EQ(request.turn.format_text, R"({"type":"object"})");
  EXPECT_EQ(wire_text(request.echo["text"]),
            R"({"format":{"type":"json_schema","name":"n","schema":{"type":"object"},)"
            R"("strict":true},"verbosity":"low"})");
  EXPECT_EQ(request.ignored.header(), "text.verbosity");
}

TEST(ResponsesRequest, ReadsTools) {
  const ResponsesRequest request = read(kTools);
  const auto& tools = request.turn.conversation.tools;
  ASSERT_EQ(tools.size(), 2u);
  EXPECT_EQ(tools[0].parameters, R"({"type":"object","properties":{"z":{},"a":{}}})");
  EXPECT_EQ(tools[1].parameters, R"({"type":"object","properties":{}})");
  EXPECT_EQ(request.turn.strict_tools, (std::vector<bool>{true, false}));
  EXPECT_EQ(wire_text(request.echo["tools"][0]),
            R"({"type":"function","name":"look","description":"Looks.","parameters":)"
            R"({"type":"object","properties":{"z":{},"a":{}}},"strict":true})");

  const auto chosen = [&](const std::string& choice) {
    return read(kTools + R"(, "tool_choice": )" + choice).turn;
  };
  EXPECT_EQ(chosen(R"("none")").tool_choice, ToolChoice::kNone);
  EXPECT_EQ(chosen(R"("auto")").tool_choice, ToolChoice::kAuto);
  EXPECT_EQ(chosen(R"("required")").tool_choice, ToolChoice::kRequired);
  EXPECT_EQ(chosen(R"({"type": "function", "name": "wait"})").named_tool, "wait");
  const TurnRequest allowed = chosen(R"({"type": "allowed_tools", "mode": "required",
                                         "tools": [{"type": "function", "name": "wait"}]})");
  EXPECT_EQ(allowed.tool_choice, ToolChoice::kRequired);
  ASSERT_EQ(allowed.conversation.tools.size(), 1u);
  EXPECT_EQ(allowed.conversation.tools[0].name, "wait");
  EXPECT_EQ(allowed.strict_tools, std::vector<bool>{false});
}

TEST(ResponsesRequest, ReadsItems) {
  const auto messages = messages_of(R"([
      {"role": "developer", "content": "d"},
      {"type": "message", "role": "user", "content":
        [{"type": "input_text", "text": "a"}, {"type": "input_text", "text": "b"}]},
      {"role": "user", "content": "c"},
      {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "no"}],
       "content": [{"type": "reasoning_text", "text": "hm"}], "encrypted_content": null},
      {"type": "message", "role": "assistant", "id": "msg_1", "status": "completed",
       "content": [{"type": "output_text", "text": "Looking.", "annotations": []}]},
      {"type": "function_call", "call_id": "1", "name": "look", "arguments": "{\"z\": 1.0}"},
      {"type": "function_call", "call_id": "2", "name": "wait", "arguments": ""},
      {"type": "function_call_output", "call_id": "2", "output": "two"},
      {"type": "function_call_output", "call_id": "1",
       "output": [{"type": "input_text", "text": "one"}]},
      {"type": "reasoning", "summary": []},
      {"role": "assistant", "content": "Done."}])");
  ASSERT_EQ(messages.size(), 7u);
  EXPECT_EQ(messages[0].role, Role::kSystem);
  EXPECT_EQ(messages[1].content, "a\nb");
  EXPECT_EQ(messages[2].content, "c");
  EXPECT_EQ(messages[3].reasoning, "hm");
  EXPECT_EQ(messages[3].content, "Looking.");
  EXPECT_EQ(messages[3].tool_calls,
            (std::vector<ToolCall>{{"look", "{\"z\": 1.0}"}, {"wait", "{}"}}));
  EXPECT_EQ(messages[4].content, "one");
  EXPECT_EQ(messages[5].content, "two");
  EXPECT_EQ(messages[6].content, "Done.");
}

TEST(ResponsesRequest, RefusesWhatItCannotDo) {
  struct Case {
    std::string members, input, param;
  };
  const std::string hi = R"("hi")";
  const std::vector<Case> cases = {
      {R"("previous_response_id": "resp_1")", hi, "previous_response_id"},
      {R"("conversation": {"id": "c"})", hi, "conversation"},
      {R"("prompt": {"id": "p"})", hi, "prompt"},
      {R"("background": true)", hi, "background"},
      {R"("moderation": {})", hi, "moderation"},
      {R"("frequency_penalty": 1)", hi, "frequency_penalty"},
      {R"("instructions": [])", hi, "instructions"},
      {R"("max_output_tokens": 0)", hi, "max_output_tokens"},
      {R"("temperature": -1)", hi, "temperature"},
      {R"("top_logprobs": 21)", hi, "top_logprobs"},
      {R"("include": ["everything"])", hi, "include[0]"},
      {R"("text": {"format": {"type": "xml"}})", hi, "text.format.type"},
      {R"("text": {"format": {"type": "json_schema", "name": "n"}})", hi, "text.format.schema"},
      {R"("text": {"format": {"type": "json_schema", "schema": {}}})", hi, "text.format.name"},
      {R"("reasoning": {"effort": "some"})", hi, "reasoning.effort"},
      {R"("tools": [{"type": "web_search"}])", hi, "tools[0].type"},
      {R"("tools": [{"type": "custom", "name": "x"}])", hi, "tools[0].type"},
      {R"("tools": [{"name": "x"}])", hi, "tools[0].type"},
      {R"("tools": [{"type": "function"}])", hi, "tools[0].name"},
      {R"("tool_choice": "required")", hi, "tool_choice"},
      {R"("tool_choice": {"type": "mcp"})", hi, "tool_choice.type"},
      {R"("tool_choice": {"type": "function", "name": "x"})", hi, "tool_choice.name"},
      {kTools + R"(, "tool_choice": {"type": "allowed_tools", "mode": "auto",
                                     "tools": [{"type": "function", "name": "x"}]})",
       hi, "tool_choice.tools[0].name"},
      {R"("metadata": {"k": 1})", hi, "metadata.k"},
      {R"("truncation": "all")", hi, "truncation"},
      {R"("service_tier": "gold")", hi, "service_tier"},
      {R"("store": 1)", hi, "store"},
      {"", "null", "input"},
      {"", "[]", "input"},
      {"", R"([{"role": "tool", "content": "x"}])", "input[0].role"},
      {"", R"([{"role": "user", "content": [{"type": "input_image"}]}])",
       "input[0].content[0].type"},
      {"", R"([{"type": "web_search_call"}])", "input[0].type"},
      {"", R"([{"type": "item_reference", "id": "msg_1"}])", "input[0].type"},
      {"", R"([{"type": "function_call", "call_id": "1", "name": "f", "arguments": "{"}])",
       "input[0].arguments"},
      {"", R"([{"type": "function_call", "call_id": "1", "name": "f", "arguments": "{}"}])",
       "input[0].call_id"},
      {"", R"([{"type": "function_call_output", "call_id": "1", "output": ""}])",
       "input[0].call_id"}};
  for (const Case& one : cases) {
    const ApiError error = refusal_of([&] { read(one.members, one.input); });
    EXPECT_EQ(error.param, one.param) << error.message;
    EXPECT_EQ(error.status, 400);
    EXPECT_TRUE(error.message.starts_with(one.param + ": ")) << error.message;
  }
  EXPECT_EQ(refusal_of([&] { read(R"("tools": [{"type": "web_search"}])"); }).message,
            "tools[0].type: tools other than functions, those of type \"web_search\" are not "
            "supported");
}

}  // namespace
}  // namespace minke
