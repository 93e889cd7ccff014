#include "serve/api/responses/responses_input.h"

#include <array>

#include "base/core/error.h"
#include "serve/api/message_history.h"
#include "text/chat/json_text.h"

namespace minke {
namespace {

constexpr std::array<std::string_view, 4> kTextParts = {"input_text", "output_text", "text",
                                                        "refusal"};
constexpr std::array<std::string_view, 1> kReasoningParts = {"reasoning_text"};

void read_message(const MessageField& item, MessageHistory& history) {
  constexpr std::array<std::string_view, 4> kRoles = {"user", "assistant", "system", "developer"};
  const std::string role = item.need("role").word(kRoles);
  const Role speaker = role == "user"        ? Role::kUser
                       : role == "assistant" ? Role::kAssistant
                                             : Role::kSystem;
  history.say(speaker, read_texts(item.need("content"), kTextParts));
}

void read_call(const MessageField& item, MessageHistory& history) {
  const MessageField arguments = item.need("arguments");
  std::string text = arguments.text();
  if (text.empty()) text = "{}";
  if (!json_members(text)) arguments.expected("the text of a JSON object");
  history.call(item.need("call_id"), {item.need("name").name(), std::move(text)});
}

void read_item(const MessageField& item, MessageHistory& history) {
  const auto type_field = item.get("type");
  const std::string type = type_field ? type_field->text() : "message";
  if (type == "message") {
    read_message(item, history);
  } else if (type == "reasoning") {
    if (const auto content = item.get("content")) {
      history.think(read_texts(*content, kReasoningParts));
    }
  } else if (type == "function_call") {
    read_call(item, history);
  } else if (type == "function_call_output") {
    history.result(item.need("call_id"), read_texts(item.need("output"), kTextParts));
  } else if (type == "item_reference") {
    type_field->refuse("responses are not stored: send the item itself");
  } else {
    item.refuse_type("items");
  }
}

}  // namespace

std::vector<Message> read_responses_input(const MessageField& root) {
  MessageHistory history(MessageHistory::Turns::kApart);
  if (const auto instructions = root.get("instructions")) {
    std::string text = instructions->text();
    if (!text.empty()) history.say(Role::kSystem, std::move(text));
  }
  const MessageField input = root.need("input");
  if (input.is_string()) {
    history.say(Role::kUser, input.text());
  } else {
    const auto items = input.items(kMostMessages);
    if (items.empty()) input.refuse("expected at least one item, found none");
    for (const MessageField& item : items) read_item(item, history);
  }
  auto messages = history.finish();
  if (messages.empty()) input.refuse("expected a message, found none");
  return messages;
}

}  // namespace minke
