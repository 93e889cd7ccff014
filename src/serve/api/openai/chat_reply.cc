#include "serve/api/openai/chat_reply.h"

#include <algorithm>

#include "base/core/check.h"
#include "serve/api/api_errors.h"

namespace minke {
namespace {

std::string_view finish_reason(TurnEnd end) {
  switch (end) {
    case TurnEnd::kLength:
      return "length";
    case TurnEnd::kToolCalls:
      return "tool_calls";
    default:
      return "stop";
  }
}

WireJson token_json(std::string_view bytes, float log_probability) {
  WireJson numbers = WireJson::array();
  for (const char byte : bytes) numbers.push_back(static_cast<unsigned char>(byte));
  return {{"token", token_text(bytes)},
          {"logprob", json_logprob(log_probability)},
          {"bytes", std::move(numbers)}};
}

WireJson call_json(const TurnDelta::CallPiece& piece) {
  WireJson json = {{"index", piece.call}};
  WireJson function = WireJson::object();
  if (!piece.name.empty()) {
    json["id"] = piece.id;
    json["type"] = "function";
    function["name"] = piece.name;
  }
  function["arguments"] = piece.arguments;
  json["function"] = std::move(function);
  return json;
}

}  // namespace

ChatReply::ChatReply(AnswerHead head, const Shape& shape, AnswerSink sink)
    : head_(std::move(head)),
      shape_(shape),
      sink_(std::move(sink)),
      choices_(static_cast<size_t>(shape.choices)) {}

void ChatReply::accepted(std::shared_ptr<TurnHandle> handle) {
  const std::lock_guard lock(mutex_);
  if (over_) return;
  handle_ = std::move(handle);
  sink_.open();
}

void ChatReply::cancel() {
  std::shared_ptr<TurnHandle> handle;
  {
    const std::lock_guard lock(mutex_);
    handle = handle_;
  }
  // Outside the lock: a turn may end within the call.
  if (handle) handle->cancel();
}

void ChatReply::release() {
  over_ = true;
  handle_.reset();
}

void ChatReply::started(int64_t /*prompt_tokens*/, int64_t /*cached_tokens*/) {
  const std::lock_guard lock(mutex_);
  if (!sink_.streams()) return;
  for (int choice = 0; choice < shape_.choices; ++choice) begin(choice);
}

void ChatReply::begin(int choice) {
  Choice& state = choices_[static_cast<size_t>(choice)];
  if (state.begun) return;
  state.begun = true;
  chunk(choice, {{"role", "assistant"}, {"content", nullptr}}, nullptr, nullptr);
}

void ChatReply::chunk(int choice, WireJson delta, WireJson logprobs, WireJson finish_reason) {
  WireJson json = head_.json();
  json["choices"] = WireJson::array({{{"index", choice},
                                      {"delta", std::move(delta)},
                                      {"logprobs", std::move(logprobs)},
                                      {"finish_reason", std::move(finish_reason)}}});
  if (shape_.include_usage) json["usage"] = nullptr;
  sink_.event(json);
}

void ChatReply::delta(int choice, const TurnDelta& delta) {
  const std::lock_guard lock(mutex_);
  Choice& state = choices_.at(static_cast<size_t>(choice));
  CHECK(!state.ended);
  if (sink_.streams()) {
    stream(choice, delta);
  } else {
    keep(state, delta);
  }
}

// Thinking, text and calls get a chunk each: clients look at one of them in a chunk.
void ChatReply::stream(int choice, const TurnDelta& delta) {
  begin(choice);
  if (!delta.reasoning.empty()) {
    WireJson json = WireJson::object();
    put_reasoning(json, delta.reasoning);
    chunk(choice, std::move(json), nullptr, nullptr);
  }
  WireJson logprobs = logprobs_json(delta.scores);
  const bool scored = !delta.scores.empty() && shape_.log_probabilities;
  if (!delta.content.empty() || (scored && delta.calls.empty())) {
    chunk(choice, {{"content", delta.content}}, std::move(logprobs), nullptr);
    logprobs = nullptr;
  }
  if (!delta.calls.empty()) {
    WireJson calls = WireJson::array();
    for (const auto& piece : delta.calls) calls.push_back(call_json(piece));
    WireJson json = WireJson::object();
    json["tool_calls"] = std::move(calls);
    chunk(choice, std::move(json), std::move(logprobs), nullptr);
  }
}

void ChatReply::keep(Choice& choice, const TurnDelta& delta) {
  choice.reasoning += delta.reasoning;
  choice.content += delta.content;
  for (const auto& piece : delta.calls) {
    const auto call = static_cast<size_t>(piece.call);
    CHECK(call <= choice.calls.size());
    if (call == choice.calls.size()) choice.calls.push_back({piece.id, piece.name, ""});
    choice.calls[call].arguments += piece.arguments;
  }
  choice.scores.insert(choice.scores.end(), delta.scores.begin(), delta.scores.end());
}

void ChatReply::ended(int choice, TurnEnd end, const std::string& /*stop*/) {
  const std::lock_guard lock(mutex_);
  Choice& state = choices_.at(static_cast<size_t>(choice));
  state.ended = true;
  state.end = end;
  if (!sink_.streams() || end == TurnEnd::kCancelled) return;
  begin(choice);
  chunk(choice, WireJson::object(), nullptr, finish_reason(end));
}

bool ChatReply::complete() const {
  return std::ranges::all_of(choices_, [](const Choice& choice) {
    return choice.ended && choice.end != TurnEnd::kCancelled;
  });
}

void ChatReply::finished(const TurnUsage& usage) {
  const std::lock_guard lock(mutex_);
  if (over_) return;
  release();
  if (!complete()) return sink_.fail(cancelled_error());
  WireJson json = head_.json();
  WireJson choices = WireJson::array();
  if (!sink_.streams()) {
    int index = 0;
    for (const Choice& choice : choices_) choices.push_back(choice_json(choice, index++));
  }
  json["choices"] = std::move(choices);
  json["usage"] = usage_json(usage);
  json["timings"] = timings_json(usage);
  if (!sink_.streams()) return sink_.send(json);
  if (shape_.include_usage) sink_.event(json);
  sink_.done();
}

void ChatReply::failed(const ApiError& error) {
  const std::lock_guard lock(mutex_);
  if (over_) return;
  release();
  sink_.fail(error);
}

void ChatReply::put_reasoning(WireJson& message, const WireJson& text) const {
  if (shape_.reasoning != ReasoningField::kReasoning) message["reasoning_content"] = text;
  if (shape_.reasoning != ReasoningField::kReasoningContent) message["reasoning"] = text;
}

WireJson ChatReply::choice_json(const Choice& choice, int index) const {
  WireJson message = {{"role", "assistant"}, {"content", choice.content}};
  if (choice.content.empty() && !choice.calls.empty()) message["content"] = nullptr;
  put_reasoning(message, choice.reasoning.empty() ? WireJson(nullptr) : WireJson(choice.reasoning));
  message["refusal"] = nullptr;
  if (!choice.calls.empty()) {
    WireJson calls = WireJson::array();
    for (const Call& call : choice.calls) {
      calls.push_back({{"id", call.id},
                       {"type", "function"},
                       {"function", {{"name", call.name}, {"arguments", call.arguments}}}});
    }
    message["tool_calls"] = std::move(calls);
  }
  return {{"index", index},
          {"message", std::move(message)},
          {"logprobs", logprobs_json(choice.scores)},
          {"finish_reason", finish_reason(choice.end)}};
}

WireJson ChatReply::logprobs_json(const std::vector<ScoredText>& scores) const {
  if (!shape_.log_probabilities) return nullptr;
  WireJson content = WireJson::array();
  for (const ScoredText& score : scores) {
    WireJson token = token_json(score.bytes, score.log_probability);
    WireJson top = WireJson::array();
    for (const auto& [bytes, log_probability] : score.top) {
      top.push_back(token_json(bytes, log_probability));
    }
    token["top_logprobs"] = std::move(top);
    content.push_back(std::move(token));
  }
  return {{"content", std::move(content)}, {"refusal", nullptr}};
}

}  // namespace minke
