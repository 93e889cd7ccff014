#include "serve/api/openai/chat_request.h"

#include <fmt/core.h>

#include "serve/api/api_errors.h"
#include "serve/api/openai/fields.h"

namespace minke {
namespace {

// OpenAI's fields that would change the answer and that this server cannot honour.
void refuse_unsupported(JsonObject& request) {
  request.refuse("audio", "this server answers with text only");
  request.refuse("web_search_options", "this server searches nothing");
  request.refuse("moderation", "this server has no moderation model");
  if (const auto store = request.get("store"); store && store->boolean()) {
    store->refused("this server stores no answers: expected false");
  }
  if (const auto modalities = request.get("modalities")) {
    for (const JsonField& item : modalities->items(8)) {
      if (item.text() != "text") item.refused("this server answers with text only");
    }
  }
  if (const auto tier = request.get("service_tier")) {
    const std::string_view name =
        tier->one_of({"auto", "default", "flex", "scale", "priority", "fast"});
    if (name != "auto" && name != "default") tier->refused("this server has one tier: \"default\"");
  }
  if (const auto verbosity = request.get("verbosity")) {
    if (verbosity->one_of({"low", "medium", "high"}) != "medium") {
      verbosity->refused("this server cannot steer the length of answers: expected \"medium\"");
    }
  }
}

// What is said of thinking, the most particular last: by the model's name (DeepSeek's two), by the
// effort, to the template, by DeepSeek's switch.
bool read_thinking(JsonObject& request, std::string_view model, IgnoredFields& ignored) {
  bool thinking = model != "deepseek-chat";
  if (const auto effort = request.get("reasoning_effort")) {
    thinking = effort->one_of(
                   {"none", "minimal", "low", "medium", "high", "xhigh", "max", "ultra"}) != "none";
  }
  if (const auto field = request.get("chat_template_kwargs")) {
    JsonObject arguments(*field, ignored);
    thinking = arguments.boolean_or("thinking", thinking);
    thinking = arguments.boolean_or("enable_thinking", thinking);
    arguments.close();
  }
  if (const auto field = request.get("thinking")) {
    JsonObject object(*field, ignored);
    thinking = object.need("type").one_of({"enabled", "disabled"}) == "enabled";
    object.close();
  }
  return thinking;
}

void read_logprobs(JsonObject& request, TurnRequest& turn) {
  turn.log_probabilities = request.boolean_or("logprobs", false);
  if (const auto top = request.get("top_logprobs")) {
    turn.top = static_cast<int>(top->integer(0, 20));
    if (turn.top > 0 && !turn.log_probabilities)
      top->refused("expected \"logprobs\": true with it");
  }
}

// vLLM's way to go on with the assistant's last message.
void read_continuation(JsonObject& request, TurnRequest& turn) {
  const bool go_on = request.boolean_or("continue_final_message", false);
  const Message& last = turn.conversation.messages.back();
  if (go_on && last.role != Role::kAssistant) {
    throw ApiFailure(api_error(400,
                               "continue_final_message: expected a last message of the assistant",
                               "continue_final_message"));
  }
  turn.continue_last |= go_on;
  const auto prompt = request.get("add_generation_prompt");
  if (prompt && !prompt->boolean() && !turn.continue_last) {
    prompt->refused("expected false only with \"continue_final_message\": true");
  }
  if (turn.continue_last && !last.tool_calls.empty()) {
    throw ApiFailure(
        api_error(400, "messages: a message with tool calls cannot be gone on with", "messages"));
  }
}

}  // namespace

ChatRequest read_chat_request(std::string_view body, std::string_view model_name,
                              const OpenAiOptions& options, std::string_view caller) {
  const RequestBody parsed = RequestBody::parse(body);
  ChatRequest chat;
  IgnoredFields& ignored = chat.ignored;
  JsonObject request(parsed.root(), ignored);
  TurnRequest& turn = chat.turn;
  turn.model = read_model(request, model_name, options);
  refuse_unsupported(request);

  ChatMessages messages = read_messages(request.need("messages"), ignored);
  turn.conversation.messages = std::move(messages.messages);
  turn.continue_last = messages.continue_last;
  read_continuation(request, turn);
  turn.conversation.thinking = read_thinking(request, turn.model, ignored);
  read_tools(request, turn, ignored);
  read_format(request, turn, ignored);

  turn.sampling = read_sampling(request, options);
  turn.max_tokens = read_count(request, "max_tokens", 1, 0);
  turn.max_tokens = read_count(request, "max_completion_tokens", 1, turn.max_tokens);
  const LengthFields lengths = read_lengths(request);
  turn.min_tokens = lengths.min_tokens;
  turn.ignore_stop = lengths.ignore_stop;
  turn.stops = read_stops(request);
  turn.choices = read_choices(request);
  read_logprobs(request, turn);
  turn.owner = read_owner(request, caller);
  turn.caller = caller;

  const StreamFields stream = read_stream(request, ignored);
  chat.stream = stream.stream;
  chat.include_usage = stream.include_usage;
  request.close();
  return chat;
}

}  // namespace minke
