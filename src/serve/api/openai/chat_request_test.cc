#include "serve/api/openai/chat_request.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include "serve/api/openai/fakes.h"

namespace minke {
namespace {

ChatRequest read(const std::string& body, const OpenAiOptions& options = fake_options()) {
  return read_chat_request(body, "minke-test", options, "key1");
}

constexpr std::string_view kHello = R"("messages":[{"role":"user","content":"Hi"}])";

// A request for a greeting with `more` fields.
std::string with(std::string_view more) {
  return fmt::format("{{{},{}}}", kHello, more);
}

std::string messages(std::string_view list) {
  return fmt::format("{{\"messages\":[{}]}}", list);
}

TurnRequest turn(std::string_view more) {
  return read(with(more)).turn;
}

ApiError refusal(const std::string& body) {
  return error_of([&] { read(body); });
}

struct Wrong {
  std::string_view field;
  int status;
  std::string_view param;
};

void expect_refused(const std::vector<Wrong>& list) {
  for (const Wrong& wrong : list) {
    const ApiError error = refusal(with(wrong.field));
    EXPECT_EQ(error.status, wrong.status) << wrong.field;
    EXPECT_EQ(error.param, wrong.param) << wrong.field;
    EXPECT_FALSE(error.message.empty()) << wrong.field;
  }
}

TEST(ChatRequest, has_the_usual_values_without_fields) {
  const ChatRequest chat = read(messages(R"({"role":"user","content":"Hi"})"));
  const TurnRequest& turn = chat.turn;
  EXPECT_EQ(turn.sampling.temperature, 1);
  EXPECT_EQ(turn.sampling.top_p, 1);
  EXPECT_EQ(turn.sampling.seed, 42u);
  EXPECT_EQ(turn.max_tokens, 0);
  EXPECT_EQ(turn.choices, 1);
  EXPECT_TRUE(turn.conversation.thinking);
  EXPECT_TRUE(turn.parallel_tools);
  EXPECT_FALSE(turn.continue_last);
  EXPECT_FALSE(chat.stream);
  EXPECT_TRUE(chat.ignored.empty());
}

TEST(ChatRequest, honours_sampling_and_lengths) {
  const ChatRequest chat = read(with(
      R"("model":"any","temperature":0.5,"top_p":0,"top_k":-1,"min_p":0.1,"presence_penalty":1,
      "frequency_penalty":-1,"repetition_penalty":1.5,"logit_bias":{"7":-100,"0":2.5},"seed":-1,
      "max_tokens":5,"max_completion_tokens":9,"stop":["a","b"],"n":8,"logprobs":true,
      "top_logprobs":20,"stream":true,"stream_options":{"include_usage":true},"min_tokens":2,
      "ignore_eos":true,"parallel_tool_calls":false)"));
  const TurnRequest& turn = chat.turn;
  EXPECT_EQ(turn.model, "any");
  EXPECT_EQ(turn.sampling.temperature, 0.5f);
  EXPECT_GT(turn.sampling.top_p, 0);
  EXPECT_LT(turn.sampling.top_p, 1e-6f);
  EXPECT_EQ(turn.sampling.top_k, 0);
  EXPECT_EQ(turn.sampling.min_p, 0.1f);
  EXPECT_EQ(turn.sampling.presence_penalty, 1);
  EXPECT_EQ(turn.sampling.frequency_penalty, -1);
  EXPECT_EQ(turn.sampling.repetition_penalty, 1.5f);
  const std::vector<std::pair<int32_t, float>> biases = {{0, 2.5f}, {7, -100.f}};
  EXPECT_EQ(turn.sampling.logit_bias, biases);
  EXPECT_EQ(turn.sampling.seed, UINT64_MAX);
  EXPECT_EQ(turn.max_tokens, 9);
  EXPECT_EQ(turn.min_tokens, 2);
  EXPECT_TRUE(turn.ignore_stop);
  EXPECT_EQ(turn.stops, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(turn.choices, 8);
  EXPECT_TRUE(turn.log_probabilities);
  EXPECT_EQ(turn.top, 20);
  EXPECT_FALSE(turn.parallel_tools);
  EXPECT_TRUE(chat.stream);
  EXPECT_TRUE(chat.include_usage);
  EXPECT_TRUE(chat.ignored.empty()) << chat.ignored.header();
}

TEST(ChatRequest, null_is_absent_everywhere) {
  const ChatRequest chat = read(with(
      R"("model":null,"temperature":null,"top_p":null,"stop":null,"n":null,"seed":null,
      "tools":null,"tool_choice":null,"response_format":null,"logprobs":null,"top_logprobs":null,
      "stream":null,"stream_options":null,"logit_bias":null,"max_tokens":null,"user":null,
      "store":null,"audio":null,"thinking":null,"foo":null)"));
  EXPECT_EQ(chat.turn.sampling.temperature, 1);
  EXPECT_TRUE(chat.ignored.empty()) << chat.ignored.header();
}

TEST(ChatRequest, names_the_wrong_field) {
  const std::string long_stop = fmt::format("\"stop\":\"{}\"", std::string(257, 'a'));
  expect_refused({{R"("temperature":2.1)", 422, "temperature"},
                  {R"("temperature":"1")", 400, "temperature"},
                  {R"("top_p":-0.1)", 422, "top_p"},
                  {R"("n":9)", 422, "n"},
                  {R"("n":1.5)", 400, "n"},
                  {R"("max_tokens":0)", 422, "max_tokens"},
                  {R"("max_completion_tokens":-1)", 422, "max_completion_tokens"},
                  {R"("top_logprobs":21,"logprobs":true)", 422, "top_logprobs"},
                  {R"("top_logprobs":2)", 400, "top_logprobs"},
                  {R"("presence_penalty":2.01)", 422, "presence_penalty"},
                  {R"("repetition_penalty":0)", 422, "repetition_penalty"},
                  {R"("logit_bias":{"x":1})", 422, "logit_bias.x"},
                  {R"("logit_bias":{"01":1})", 422, "logit_bias.01"},
                  {R"("logit_bias":{"5":101})", 422, "logit_bias.5"},
                  {R"("logit_bias":[])", 400, "logit_bias"},
                  {R"("seed":"x")", 400, "seed"},
                  {R"("stop":"")", 422, "stop"},
                  {R"("stop":["a",3])", 400, "stop[1]"},
                  {R"("stop":["1","2","3","4","5","6","7","8","9","10","11","12","13","14","15",
                      "16","17"])",
                   422, "stop"},
                  {long_stop, 422, "stop"},
                  {R"("stream":"yes")", 400, "stream"},
                  {R"("stream_options":{"include_usage":1})", 400, "stream_options.include_usage"},
                  {R"("reasoning_effort":"huge")", 422, "reasoning_effort"},
                  {R"("thinking":{"type":"maybe"})", 422, "thinking.type"},
                  {R"("thinking":{})", 400, "thinking.type"},
                  {R"("user_id":7)", 400, "user_id"},
                  {R"("temperature":1,"temperature":1)", 400, "temperature"}});
}

TEST(ChatRequest, refuses_what_cannot_be_honoured) {
  expect_refused({{R"("store":true)", 400, "store"},
                  {R"("audio":{})", 400, "audio"},
                  {R"("modalities":["text","audio"])", 400, "modalities[1]"},
                  {R"("service_tier":"priority")", 400, "service_tier"},
                  {R"("service_tier":"gold")", 422, "service_tier"},
                  {R"("verbosity":"low")", 400, "verbosity"},
                  {R"("web_search_options":{})", 400, "web_search_options"},
                  {R"("functions":[])", 400, "functions"},
                  {R"("function_call":"auto")", 400, "function_call"},
                  {R"("stream_options":{"include_obfuscation":true})", 400,
                   "stream_options.include_obfuscation"}});
  EXPECT_EQ(error_of([] {
              read(with(R"("store":false,"modalities":["text"],
      "service_tier":"auto","verbosity":"medium")"));
            }).status,
            200);
}

TEST(ChatRequest, lists_what_it_ignores) {
  const ChatRequest chat =
      read(R"({"messages":[{"role":"user","content":"Hi","name":"Ann"}],"metadata":{"a":"b"},
      "guided_choice":["x"],"chat_template_kwargs":{"thinking":false,"shout":true}})");
  EXPECT_EQ(chat.ignored.header(),
            "messages[].name, chat_template_kwargs.shout, guided_choice, metadata");
  EXPECT_FALSE(chat.turn.conversation.thinking);
}

TEST(ChatRequest, thinking_follows_the_most_particular_field) {
  EXPECT_FALSE(turn(R"("model":"deepseek-chat")").conversation.thinking);
  EXPECT_TRUE(turn(R"("model":"deepseek-reasoner")").conversation.thinking);
  EXPECT_FALSE(turn(R"("reasoning_effort":"none")").conversation.thinking);
  EXPECT_TRUE(turn(R"("model":"deepseek-chat","reasoning_effort":"low")").conversation.thinking);
  EXPECT_FALSE(turn(R"("chat_template_kwargs":{"enable_thinking":false})").conversation.thinking);
  EXPECT_TRUE(
      turn(R"("reasoning_effort":"none","thinking":{"type":"enabled"})").conversation.thinking);
}

TEST(ChatRequest, owners_are_kept_apart) {
  const std::string alone = turn(R"("n":1)").owner;
  EXPECT_EQ(turn(R"("metadata":{})").owner, alone);
  const std::string user = turn(R"("user":"a","cache_salt":"b")").owner;
  EXPECT_NE(user, turn(R"("user":"ab")").owner);
  EXPECT_EQ(user, turn(R"("user_id":"a","user":"z","cache_salt":"b")").owner);
  EXPECT_EQ(turn(R"("safety_identifier":"a")").owner, turn(R"("user":"a")").owner);
  EXPECT_EQ(turn(R"("user":"a","cache_salt":"b")").caller, turn(R"("n":1)").caller);
  EXPECT_NE(read_chat_request(with(R"("user":"a")"), "m", fake_options(), "key2").turn.owner,
            turn(R"("user":"a")").owner);
}

TEST(ChatRequest, other_models_may_be_refused) {
  OpenAiOptions options = fake_options();
  options.any_model = false;
  options.aliases = {"deepseek-chat"};
  for (const char* name : {"minke-test", "deepseek-chat"}) {
    EXPECT_EQ(read(with(fmt::format("\"model\":\"{}\"", name)), options).turn.model, name);
  }
  const ApiError error = error_of([&] { read(with(R"("model":"gpt-9")"), options); });
  EXPECT_EQ(error.status, 404);
  EXPECT_EQ(error.code, "model_not_found");
}

TEST(ChatMessages, roles_parts_and_reasoning) {
  const TurnRequest turn =
      read(messages(R"({"role":"developer","content":"Be kind"},{"role":"system","content":[
      {"type":"text","text":"A"},{"type":"text","text":"B"}]},{"role":"user","content":"x\u0000y"},
      {"role":"assistant","content":"c","reasoning":"why"},
      {"role":"assistant","content":"d","reasoning_content":"more","prefix":true})"))
          .turn;
  const auto& all = turn.conversation.messages;
  ASSERT_EQ(all.size(), 5u);
  EXPECT_EQ(all[0].role, Role::kSystem);
  EXPECT_EQ(all[1].content, "A\nB");
  EXPECT_EQ(all[2].content, std::string("x\0y", 3));
  EXPECT_EQ(all[3].reasoning, "why");
  EXPECT_EQ(all[4].reasoning, "more");
  EXPECT_TRUE(turn.continue_last);
}

constexpr std::string_view kCalls =
    R"({"role":"assistant","content":null,"tool_calls":[
      {"id":"c1","type":"function","index":0,"function":{"name":"f","arguments":"{\"a\": 1}"}},
      {"id":"c2","type":"function","function":{"name":"g","arguments":""}}]})";

std::string after_calls(std::string_view rest) {
  return messages(fmt::format(R"({{"role":"user","content":"q"}},{}{})", kCalls, rest));
}

TEST(ChatMessages, results_are_put_in_the_order_of_calls) {
  const ChatRequest chat =
      read(after_calls(R"(,{"role":"tool","tool_call_id":"c2","content":"second"},
      {"role":"tool","tool_call_id":"c1","content":[{"type":"text","text":"first"}]})"));
  const auto& all = chat.turn.conversation.messages;
  ASSERT_EQ(all.size(), 4u);
  EXPECT_EQ(all[1].tool_calls[0], (ToolCall{"f", "{\"a\": 1}"}));
  EXPECT_EQ(all[1].tool_calls[1], (ToolCall{"g", "{}"}));
  EXPECT_EQ(all[2].content, "first");
  EXPECT_EQ(all[3].content, "second");
  EXPECT_TRUE(chat.ignored.empty()) << chat.ignored.header();
}

TEST(ChatMessages, names_the_wrong_message) {
  const auto expect = [](const std::string& body, int status, std::string_view param) {
    const ApiError error = refusal(body);
    EXPECT_EQ(error.status, status) << body;
    EXPECT_EQ(error.param, param) << body;
  };
  expect("[]", 400, "");
  expect("{}", 400, "messages");
  expect(R"({"messages":{}})", 400, "messages");
  expect(messages(""), 400, "messages");
  expect(messages("3"), 400, "messages[0]");
  expect(messages(R"({"content":"x"})"), 400, "messages[0].role");
  expect(messages(R"({"role":"king","content":"x"})"), 422, "messages[0].role");
  expect(messages(R"({"role":"function","name":"f","content":"x"})"), 400, "messages[0].role");
  expect(messages(R"({"role":"user"})"), 400, "messages[0].content");
  expect(messages(R"({"role":"user","content":7})"), 400, "messages[0].content");
  expect(messages(R"({"role":"assistant","content":null})"), 400, "messages[0].content");
  expect(messages(R"({"role":"user","content":[{"type":"image_url","image_url":{"url":"x"}}]})"),
         400, "messages[0].content[0].type");
  expect(messages(R"({"role":"user","content":[{"type":"text"}]})"), 400,
         "messages[0].content[0].text");
  expect(messages(R"({"role":"user","content":"x","prefix":true})"), 400, "messages[0].prefix");
  expect(messages(R"({"role":"assistant","content":"x","prefix":true},
      {"role":"user","content":"x"})"),
         400, "messages[0].prefix");
  expect(messages(R"({"role":"tool","tool_call_id":"c","content":"x"})"), 400, "messages[0].role");
  expect(after_calls(""), 400, "messages[1].tool_calls");
  expect(after_calls(R"(,{"role":"tool","tool_call_id":"c3","content":"x"})"), 400,
         "messages[2].tool_call_id");
  expect(messages(R"({"role":"assistant","tool_calls":[{"id":"c","function":{"name":"f",
      "arguments":"{"}}]})"),
         422, "messages[0].tool_calls[0].function.arguments");
  expect(messages(R"({"role":"assistant","tool_calls":[{"id":"c","function":{"name":"f",
      "arguments":{}}}]})"),
         400, "messages[0].tool_calls[0].function.arguments");
  std::string many = R"({"role":"user","content":"x"})";
  for (int i = 0; i < 4096; ++i) many += R"(,{"role":"user","content":"x"})";
  expect(messages(many), 422, "messages");
}

constexpr std::string_view kTools =
    R"("tools":[{"type":"function","function":{"name":"f","description":"d","strict":true,
      "parameters":{"type": "object", "properties": {}}}},
      {"type":"function","function":{"name":"g"}}])";

TurnRequest tool_turn(std::string_view choice) {
  return turn(fmt::format(R"({},"tool_choice":{})", kTools, choice));
}

TEST(ChatTools, tools_and_choices) {
  const TurnRequest all = turn(kTools);
  ASSERT_EQ(all.conversation.tools.size(), 2u);
  EXPECT_EQ(all.conversation.tools[0].parameters, R"({"type":"object","properties":{}})");
  EXPECT_EQ(all.conversation.tools[1].parameters, "");
  EXPECT_EQ(all.strict_tools, (std::vector<bool>{true, false}));
  EXPECT_EQ(all.tool_choice, ToolChoice::kAuto);
  EXPECT_EQ(tool_turn(R"("none")").tool_choice, ToolChoice::kNone);
  EXPECT_EQ(tool_turn(R"("required")").tool_choice, ToolChoice::kRequired);
  const TurnRequest named = tool_turn(R"({"type":"function","function":{"name":"g"}})");
  EXPECT_EQ(named.tool_choice, ToolChoice::kNamed);
  EXPECT_EQ(named.named_tool, "g");
  const TurnRequest allowed =
      tool_turn(R"({"type":"allowed_tools","allowed_tools":{"mode":"required",
      "tools":[{"type":"function","function":{"name":"g"}}]}})");
  EXPECT_EQ(allowed.tool_choice, ToolChoice::kRequired);
  ASSERT_EQ(allowed.conversation.tools.size(), 1u);
  EXPECT_EQ(allowed.conversation.tools[0].name, "g");
  EXPECT_EQ(allowed.strict_tools, (std::vector<bool>{false}));
}

TEST(ChatTools, names_the_wrong_tool) {
  std::string many = R"("tools":[)";
  for (int i = 0; i < 129; ++i) {
    many +=
        fmt::format(R"({}{{"type":"function","function":{{"name":"f{}"}}}})", i == 0 ? "" : ",", i);
  }
  many += "]";
  const std::string base(kTools);
  const std::string unknown =
      base + R"(,"tool_choice":{"type":"function","function":{"name":"h"}})";
  const std::string word = base + R"(,"tool_choice":"any")";
  const std::string custom = base + R"(,"tool_choice":{"type":"custom","custom":{"name":"f"}})";
  expect_refused({{R"("tools":[{"type":"custom","custom":{"name":"x"}}])", 400, "tools[0].type"},
                  {R"("tools":[{"type":"function","function":{"name":"a b"}}])", 422,
                   "tools[0].function.name"},
                  {R"("tools":[{"type":"function","function":{"name":"a","parameters":[]}}])", 400,
                   "tools[0].function.parameters"},
                  {R"("tools":[{"type":"function","function":{"name":"a"}},
                      {"type":"function","function":{"name":"a"}}])",
                   422, "tools[1].function.name"},
                  {R"("tool_choice":"required")", 400, "tool_choice"},
                  {unknown, 422, "tool_choice.function.name"},
                  {word, 422, "tool_choice"},
                  {custom, 400, "tool_choice.type"},
                  {many, 422, "tools"}});
}

TEST(ChatFormats, schemas_and_grammars) {
  EXPECT_EQ(turn(R"("response_format":{"type":"text"})").format, TextFormat::kText);
  EXPECT_EQ(turn(R"("response_format":{"type":"json_object"})").format, TextFormat::kJsonObject);
  const TurnRequest schema = turn(
      R"("response_format":{"type":"json_schema","json_schema":{"name":"n","strict":true,
      "schema":{"type": "object"}}})");
  EXPECT_EQ(schema.format, TextFormat::kJsonSchema);
  EXPECT_EQ(schema.format_text, R"({"type":"object"})");
  EXPECT_EQ(turn(R"("grammar":"root ::= \"a\"")").format_text, "root ::= \"a\"");
  EXPECT_EQ(turn(R"("grammar":"root ::= \"a\"")").format, TextFormat::kGrammar);
  expect_refused(
      {{R"("response_format":{"type":"xml"})", 422, "response_format.type"},
       {R"("response_format":"json")", 400, "response_format"},
       {R"("response_format":{"type":"json_schema"})", 400, "response_format.json_schema"},
       {R"("response_format":{"type":"json_schema","json_schema":{"name":"n","schema":"x"}})", 400,
        "response_format.json_schema.schema"},
       {R"("response_format":{"type":"json_object"},"grammar":"x")", 400, "grammar"}});
}

TEST(ChatRequest, the_last_message_may_be_gone_on_with) {
  const std::string last = R"({"role":"assistant","content":"So")";
  EXPECT_TRUE(read(fmt::format(R"({{"messages":[{}}}],"continue_final_message":true,
      "add_generation_prompt":false}})",
                               last))
                  .turn.continue_last);
  expect_refused({{R"("continue_final_message":true)", 400, "continue_final_message"},
                  {R"("add_generation_prompt":false)", 400, "add_generation_prompt"}});
}

}  // namespace
}  // namespace minke
