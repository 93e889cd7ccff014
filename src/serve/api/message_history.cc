#include "serve/api/message_history.h"

#include "base/core/check.h"

namespace minke {
namespace {

void add_lines(std::string& text, const std::string& more) {
  if (!text.empty() && !more.empty()) text += '\n';
  text += more;
}

}  // namespace

void MessageHistory::add_message(Role role, std::string content) {
  Message& message = messages_.emplace_back();
  message.role = role;
  message.content = std::move(content);
}

void MessageHistory::place_results() {
  for (OpenCall& call : calls_) {
    if (!call.answered) call.id.refused("expected a result of this call behind it, found none");
    add_message(Role::kTool, std::move(call.result));
  }
  calls_.clear();
  call_of_.clear();
  answered_ = 0;
}

Message& MessageHistory::assistant() {
  if (answered_ > 0) place_results();
  if (messages_.empty() || messages_.back().role != Role::kAssistant) {
    add_message(Role::kAssistant, "");
  }
  return messages_.back();
}

void MessageHistory::say(Role role, std::string text) {
  CHECK(role != Role::kTool);
  if (role == Role::kAssistant) {
    add_lines(assistant().content, text);
    return;
  }
  place_results();
  if (turns_ == Turns::kJoined && !messages_.empty() && messages_.back().role == role) {
    add_lines(messages_.back().content, text);
  } else {
    add_message(role, std::move(text));
  }
}

void MessageHistory::think(const std::string& text) {
  add_lines(assistant().reasoning, text);
}

void MessageHistory::call(const JsonField& id, ToolCall call) {
  assistant().tool_calls.push_back(std::move(call));
  if (!call_of_.emplace(id.text(1, 256), calls_.size()).second) {
    id.refused("two calls have this id");
  }
  calls_.push_back({.id = id});
}

void MessageHistory::result(const JsonField& id, std::string text) {
  const auto found = call_of_.find(id.text());
  if (found == call_of_.end()) id.invalid("the id of a call in the assistant's last turn");
  OpenCall& call = calls_[found->second];
  if (call.answered) id.refused("two results have this id");
  call.answered = true;
  call.result = std::move(text);
  ++answered_;
}

std::vector<Message> MessageHistory::finish() {
  place_results();
  return std::move(messages_);
}

}  // namespace minke
