#include <algorithm>

#include <fmt/core.h>

#include "base/core/error.h"
#include "serve/api/api_errors.h"
#include "serve/api/openai/chat_request.h"
#include "text/chat/json_text.h"

namespace minke {
namespace {

constexpr size_t kMostMessages = 4096, kMostParts = 4096, kMostCalls = 128;
constexpr size_t kMostIdBytes = 256, kMostNameBytes = 256;

struct ReadMessage {
  Message message;
  std::vector<std::string> call_ids;  // of message.tool_calls
  std::string answers;                // a tool's: the id of its call
  std::string path;
  bool prefix = false;
};

std::string part_text(const JsonField& field, bool assistant, IgnoredFields& ignored) {
  JsonObject part(field, ignored);
  const JsonField type = part.need("type");
  const std::string name = type.text();
  const bool refusal = assistant && name == "refusal";
  if (!refusal && name != "text") {
    type.refused(
        fmt::format("this server reads parts of type \"text\", found \"{}\"", printable(name)));
  }
  std::string text = part.need(refusal ? "refusal" : "text").text();
  part.close();
  return text;
}

std::string content_text(const JsonField& field, bool assistant, IgnoredFields& ignored) {
  if (field.is_string()) return field.text();
  if (!field.is_array()) field.expected("a string or an array of parts");
  std::string text;
  bool first = true;
  for (const JsonField& part : field.items(kMostParts)) {
    if (!first) text += '\n';
    text += part_text(part, assistant, ignored);
    first = false;
  }
  return text;
}

ToolCall read_call(const JsonField& field, std::string& id, IgnoredFields& ignored) {
  JsonObject call(field, ignored);
  id = call.need("id").text(kMostIdBytes);
  if (const auto type = call.get("type"); type && type->text() != "function") {
    type->refused("this server knows calls of type \"function\" alone");
  }
  JsonObject function(call.need("function"), ignored);
  ToolCall read;
  read.name = function.need("name").text(kMostNameBytes);
  const JsonField arguments = function.need("arguments");
  read.arguments = arguments.text();
  if (read.arguments.empty()) read.arguments = "{}";
  if (!is_json(read.arguments)) arguments.invalid("a JSON text");
  function.close();
  // Clients send deltas of streams back as they came.
  call.get("index");
  call.close();
  return read;
}

void read_calls(const JsonField& field, ReadMessage& read, IgnoredFields& ignored) {
  for (const JsonField& item : field.items(kMostCalls)) {
    std::string id;
    read.message.tool_calls.push_back(read_call(item, id, ignored));
    if (std::ranges::find(read.call_ids, id) != read.call_ids.end()) {
      item.refused(fmt::format("expected an id of its own for each call, found \"{}\" twice",
                               printable(id)));
    }
    read.call_ids.push_back(std::move(id));
  }
}

void read_assistant(JsonObject& object, ReadMessage& read, IgnoredFields& ignored) {
  object.refuse("audio", "this server reads text only");
  object.refuse("function_call", "expected tool_calls instead");
  Message& message = read.message;
  message.role = Role::kAssistant;
  for (const std::string_view name : {"reasoning_content", "reasoning"}) {
    const auto reasoning = object.get(name);
    std::string text = reasoning ? reasoning->text() : "";
    if (message.reasoning.empty()) message.reasoning = std::move(text);
  }
  if (const auto calls = object.get("tool_calls")) read_calls(*calls, read, ignored);
  const auto refusal = object.get("refusal");
  std::string refused = refusal ? refusal->text() : "";
  read.prefix = object.boolean_or("prefix", false);
  if (const auto content = object.get("content")) {
    message.content = content_text(*content, true, ignored);
  } else if (!refused.empty()) {
    message.content = std::move(refused);
  } else if (message.tool_calls.empty() && message.reasoning.empty()) {
    object.need("content");
  }
}

ReadMessage read_message(const JsonField& field, IgnoredFields& ignored) {
  JsonObject object(field, ignored);
  ReadMessage read;
  read.path = field.path();
  const JsonField role_field = object.need("role");
  if (role_field.is_string() && role_field.text() == "function") {
    role_field.refused("expected \"tool\" instead of \"function\"");
  }
  const std::string_view role =
      role_field.one_of({"system", "developer", "user", "assistant", "tool"});
  if (role == "assistant") {
    read_assistant(object, read, ignored);
  } else {
    read.message.role = role == "user" ? Role::kUser : role == "tool" ? Role::kTool : Role::kSystem;
    read.message.content = content_text(object.need("content"), false, ignored);
    if (role == "tool") read.answers = object.need("tool_call_id").text(kMostIdBytes);
    if (object.boolean_or("prefix", false)) {
      throw ApiFailure(api_error(400, "prefix: expected on a message of the assistant",
                                 object.path_of("prefix")));
    }
  }
  object.close();
  return read;
}

[[noreturn]] void fail_message(const ReadMessage& read, std::string_view field,
                               const std::string& message) {
  const std::string path = fmt::format("{}.{}", read.path, field);
  throw ApiFailure(api_error(400, fmt::format("{}: {}", path, message), path));
}

// Puts the results behind messages[at], which has calls, in the order of these; returns the
// position behind them.
size_t order_results(std::vector<ReadMessage>& messages, size_t at) {
  const std::vector<std::string>& ids = messages[at].call_ids;
  std::vector<ReadMessage> ordered(ids.size());
  std::vector<bool> answered(ids.size());
  size_t end = at + 1;
  for (; end < messages.size() && messages[end].message.role == Role::kTool; ++end) {
    ReadMessage& result = messages[end];
    const auto call = static_cast<size_t>(std::ranges::find(ids, result.answers) - ids.begin());
    if (call == ids.size() || answered[call]) {
      fail_message(result, "tool_call_id",
                   fmt::format("expected a call of {} that has no result yet, found \"{}\"",
                               messages[at].path, printable(result.answers)));
    }
    answered[call] = true;
    ordered[call] = std::move(result);
  }
  for (size_t call = 0; call < ids.size(); ++call) {
    if (!answered[call]) {
      fail_message(messages[at], "tool_calls",
                   fmt::format("expected a tool message for each call, found none for \"{}\"",
                               printable(ids[call])));
    }
  }
  std::ranges::move(ordered, messages.begin() + static_cast<ptrdiff_t>(at) + 1);
  return end;
}

void pair_results(std::vector<ReadMessage>& messages) {
  for (size_t at = 0; at < messages.size();) {
    if (messages[at].message.role == Role::kTool) {
      fail_message(messages[at], "role",
                   "expected a tool message only behind the assistant's message with its call");
    }
    at = messages[at].call_ids.empty() ? at + 1 : order_results(messages, at);
  }
}

}  // namespace

ChatMessages read_messages(const JsonField& field, IgnoredFields& ignored) {
  std::vector<ReadMessage> read;
  for (const JsonField& item : field.items(kMostMessages)) {
    read.push_back(read_message(item, ignored));
  }
  if (read.empty()) field.expected("at least one message");
  pair_results(read);
  ChatMessages result;
  for (ReadMessage& one : read) {
    if (one.prefix && &one != &read.back()) {
      fail_message(one, "prefix", "expected on the last message alone");
    }
    result.continue_last = one.prefix;
    result.messages.push_back(std::move(one.message));
  }
  return result;
}

}  // namespace minke
