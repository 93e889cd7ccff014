#include "serve/api/responses/responses_input.h"

#include "base/core/error.h"
#include "serve/api/message_history.h"
#include "text/chat/json_text.h"

namespace minke {
namespace {

std::string read_content(const JsonField& content) {
  return read_texts(content, {"input_text", "output_text", "text", "refusal"});
}

void read_message(const JsonField& item, MessageHistory& history) {
  const std::string_view role =
      item.need("role").one_of({"user", "assistant", "system", "developer"});
  const Role speaker = role == "user"        ? Role::kUser
                       : role == "assistant" ? Role::kAssistant
                                             : Role::kSystem;
  history.say(speaker, read_content(item.need("content")));
}

void read_call(const JsonField& item, MessageHistory& history) {
  const JsonField arguments = item.need("arguments");
  std::string text = arguments.text();
  if (text.empty()) text = "{}";
  if (!json_members(text)) arguments.invalid("the text of a JSON object");
  history.call(item.need("call_id"), {item.need("name").name(kMostNameBytes), std::move(text)});
}

void read_item(const JsonField& item, MessageHistory& history) {
  const auto type_field = item.get("type");
  const std::string type = type_field ? type_field->text() : "message";
  if (type == "message") {
    read_message(item, history);
  } else if (type == "reasoning") {
    if (const auto content = item.get("content")) {
      history.think(read_texts(*content, {"reasoning_text"}));
    }
  } else if (type == "function_call") {
    read_call(item, history);
  } else if (type == "function_call_output") {
    history.result(item.need("call_id"), read_content(item.need("output")));
  } else if (type == "item_reference") {
    type_field->refused("responses are not stored: send the item itself");
  } else {
    item.refused_type("items");
  }
}

}  // namespace

std::vector<Message> read_responses_input(JsonObject& request) {
  MessageHistory history(MessageHistory::Turns::kApart);
  if (const auto instructions = request.get("instructions")) {
    std::string text = instructions->text();
    if (!text.empty()) history.say(Role::kSystem, std::move(text));
  }
  const JsonField input = request.need("input");
  if (input.is_string()) {
    history.say(Role::kUser, input.text());
  } else {
    const auto items = input.items(kMostMessages);
    if (items.empty()) input.refused("expected at least one item, found none");
    for (const JsonField& item : items) read_item(item, history);
  }
  auto messages = history.finish();
  if (messages.empty()) input.refused("expected a message, found none");
  return messages;
}

}  // namespace minke
