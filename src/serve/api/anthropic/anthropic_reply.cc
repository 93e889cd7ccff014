#include "serve/api/anthropic/anthropic_reply.h"

#include <algorithm>
#include <mutex>
#include <optional>

#include "base/core/check.h"
#include "serve/api/anthropic/anthropic_request.h"
#include "serve/api/api_errors.h"
#include "text/chat/json_text.h"

namespace minke {
namespace {

constexpr std::string_view kIdHeader = "request-id";

std::string anthropic_type(int status) {
  switch (status) {
    case 401:
      return "authentication_error";
    case 402:
      return "billing_error";
    case 403:
      return "permission_error";
    case 404:
      return "not_found_error";
    case 413:
      return "request_too_large";
    case 429:
      return "rate_limit_error";
    case 504:
      return "timeout_error";
    case 529:
      return "overloaded_error";
    default:
      return status < 500 ? "invalid_request_error" : "api_error";
  }
}

// Their clients know an overloaded server by a status of its own.
int status_of(const ApiError& error) {
  return error.status == 503 || error.code == kQueueFull ? 529 : error.status;
}

WireJson error_json(const ApiError& error, const std::string& request_id) {
  return {{"type", "error"},
          {"error", {{"type", anthropic_type(status_of(error))}, {"message", error.message}}},
          {"request_id", request_id}};
}

// What the model passes to a tool; nothing if `arguments` ends before it is whole.
std::optional<WireJson> tool_input(const std::string& arguments) {
  if (arguments.empty()) return WireJson::object();
  if (!json_members(arguments)) return std::nullopt;
  return wire_value(arguments);
}

HttpHeaders reply_headers(const std::string& request_id, const IgnoredFields& ignored) {
  HttpHeaders headers = ignored_headers(ignored);
  headers.emplace_back(kIdHeader, request_id);
  return headers;
}

struct ReplyHead {
  std::string id, request_id, model;
  bool stream = false;
  HttpHeaders headers{};
};

// Writes one reply. The engine's thread calls it, and the server's thread open(); whichever comes
// first begins the stream.
class AnthropicReply : public TurnListener {
 public:
  AnthropicReply(std::shared_ptr<HttpReply> reply, ReplyHead head,
                 const ThinkingSignature& signature)
      : reply_(std::move(reply)), head_(std::move(head)), signature_(signature) {}

  // The turn is admitted: the head of a stream can go out.
  void open() {
    const std::lock_guard lock(mutex_);
    open_stream();
  }

  void started(int64_t prompt_tokens, int64_t cached_tokens) override {
    const std::lock_guard lock(mutex_);
    TurnUsage usage;
    usage.prompt_tokens = prompt_tokens;
    usage.cached_tokens = cached_tokens;
    WireJson message = message_json();
    message["usage"] = usage_json(usage);
    event({{"type", "message_start"}, {"message", std::move(message)}});
    event({{"type", "ping"}});
    flush();
  }

  void delta(int choice, const TurnDelta& delta) override {
    const std::lock_guard lock(mutex_);
    CHECK(choice == 0);
    if (!delta.reasoning.empty()) add(Block::kThinking, delta.reasoning);
    if (!delta.content.empty()) add(Block::kText, delta.content);
    for (const auto& piece : delta.calls) {
      if (!piece.name.empty()) begin({.kind = Block::kToolUse, .id = piece.id, .name = piece.name});
      if (!piece.arguments.empty()) add(Block::kToolUse, piece.arguments);
    }
    flush();
  }

  void ended(int choice, TurnEnd end, const std::string& stop) override {
    const std::lock_guard lock(mutex_);
    CHECK(choice == 0);
    end_ = end;
    stop_ = stop;
  }

  void finished(const TurnUsage& usage) override {
    const std::lock_guard lock(mutex_);
    if (end_ == TurnEnd::kCancelled) return fail(cancelled_error());
    if (!reply_) return;
    if (head_.stream) {
      close_block();
      WireJson delta = {{"stop_reason", stop_reason()}, {"stop_sequence", stop_sequence()}};
      event({{"type", "message_delta"}, {"delta", std::move(delta)}, {"usage", usage_json(usage)}});
      event({{"type", "message_stop"}});
      flush();
      reply_->end();
    } else {
      WireJson message = message_json();
      for (const Block& block : blocks_) {
        if (auto json = block_json(block)) message["content"].push_back(std::move(*json));
      }
      message["stop_reason"] = stop_reason();
      message["stop_sequence"] = stop_sequence();
      message["usage"] = usage_json(usage);
      reply_->send({.headers = head_.headers, .body = wire_text(message)});
    }
    reply_.reset();
  }

  void failed(const ApiError& error) override {
    const std::lock_guard lock(mutex_);
    fail(error);
  }

 private:
  struct Block {
    enum Kind { kThinking, kText, kToolUse } kind = kText;
    std::string id{}, name{};  // kToolUse
    std::string text{};        // of a tool: its arguments
  };

  void open_stream() {
    if (!reply_ || !head_.stream || open_) return;
    reply_->begin_stream(wire_stream_head(head_.headers));
    open_ = true;
  }

  void event(const WireJson& json) {
    if (head_.stream) unsent_ += wire_event(json);
  }

  void flush() {
    open_stream();
    if (reply_ && !unsent_.empty()) reply_->write(std::move(unsent_));
    unsent_.clear();
  }

  void fail(const ApiError& error) {
    if (!reply_) return;
    if (open_) {
      event(error_json(error, head_.request_id));
      flush();
      reply_->end();
    } else {
      reply_->send(anthropic_error(error, head_.request_id));
    }
    reply_.reset();
  }

  void begin(Block block) {
    close_block();
    blocks_.push_back(std::move(block));
    block_open_ = true;
    const Block& now = blocks_.back();
    WireJson json;
    if (now.kind == Block::kThinking) {
      json = {{"type", "thinking"}, {"thinking", ""}, {"signature", ""}};
    } else if (now.kind == Block::kText) {
      json = {{"type", "text"}, {"text", ""}};
    } else {
      json = {
          {"type", "tool_use"}, {"id", now.id}, {"name", now.name}, {"input", WireJson::object()}};
    }
    event({{"type", "content_block_start"},
           {"index", blocks_.size() - 1},
           {"content_block", std::move(json)}});
  }

  void add(Block::Kind kind, const std::string& text) {
    const bool goes_on = block_open_ && blocks_.back().kind == kind;
    CHECK(goes_on || kind != Block::kToolUse);
    if (!goes_on) begin({.kind = kind});
    blocks_.back().text += text;
    if (kind == Block::kThinking) block_delta("thinking_delta", "thinking", text);
    if (kind == Block::kText) block_delta("text_delta", "text", text);
    if (kind == Block::kToolUse) block_delta("input_json_delta", "partial_json", text);
  }

  void block_delta(std::string_view type, std::string_view key, const std::string& text) {
    WireJson delta = {{"type", type}};
    delta[std::string(key)] = text;
    event({{"type", "content_block_delta"},
           {"index", blocks_.size() - 1},
           {"delta", std::move(delta)}});
  }

  void close_block() {
    if (!block_open_) return;
    block_open_ = false;
    const Block& block = blocks_.back();
    if (block.kind == Block::kThinking) {
      block_delta("signature_delta", "signature", signature_.sign(block.text));
    }
    event({{"type", "content_block_stop"}, {"index", blocks_.size() - 1}});
  }

  WireJson message_json() const {
    return {{"id", head_.id},
            {"type", "message"},
            {"role", "assistant"},
            {"model", head_.model},
            {"content", WireJson::array()},
            {"stop_reason", nullptr},
            {"stop_sequence", nullptr}};
  }

  // A call that the token limit cut off is left out: nobody may act on half of it.
  std::optional<WireJson> block_json(const Block& block) const {
    if (block.kind == Block::kText) return WireJson{{"type", "text"}, {"text", block.text}};
    if (block.kind == Block::kThinking) {
      return WireJson{{"type", "thinking"},
                      {"thinking", block.text},
                      {"signature", signature_.sign(block.text)}};
    }
    auto input = tool_input(block.text);
    if (!input) return std::nullopt;
    return WireJson{
        {"type", "tool_use"}, {"id", block.id}, {"name", block.name}, {"input", std::move(*input)}};
  }

  static WireJson usage_json(const TurnUsage& usage) {
    return {{"input_tokens", usage.prompt_tokens - usage.cached_tokens},
            {"cache_creation_input_tokens", 0},
            {"cache_read_input_tokens", usage.cached_tokens},
            {"output_tokens", usage.completion_tokens}};
  }

  std::string_view stop_reason() const {
    if (end_ == TurnEnd::kLength) return "max_tokens";
    if (end_ == TurnEnd::kToolCalls) return "tool_use";
    return stop_.empty() ? "end_turn" : "stop_sequence";
  }

  WireJson stop_sequence() const { return stop_.empty() ? WireJson() : WireJson(stop_); }

  std::mutex mutex_;                  // guards all below
  std::shared_ptr<HttpReply> reply_;  // none once the reply is complete
  ReplyHead head_;
  ThinkingSignature signature_;
  bool open_ = false;
  std::string unsent_;
  std::vector<Block> blocks_;
  bool block_open_ = false;  // the last of them
  TurnEnd end_ = TurnEnd::kStop;
  std::string stop_;
};

}  // namespace

HttpResponse anthropic_error(const ApiError& error, const std::string& request_id) {
  HttpHeaders headers = retry_headers(error);
  headers.emplace_back(kIdHeader, request_id);
  return {.status = status_of(error),
          .headers = std::move(headers),
          .body = wire_text(error_json(error, request_id))};
}

HttpResponse AnthropicApi::error(const ApiError& error) const {
  return anthropic_error(error, wire_id("req_", sources_));
}

void AnthropicApi::messages(const HttpRequest& request, const std::shared_ptr<HttpReply>& reply,
                            std::string_view key) const {
  try {
    AnthropicRequest wanted =
        read_anthropic_request(request.body, signature_, AnthropicPurpose::kReply);
    TurnRequest& turn = wanted.turn;
    turn.max_tokens = std::min(turn.max_tokens, runner_.context());
    turn.owner = wire_owner(key, wanted.user);
    turn.caller = key;
    if (!wanted.has_seed) turn.sampling.seed = sources_.random();
    ReplyHead head{.id = wire_id("msg_", sources_),
                   .request_id = wire_id("req_", sources_),
                   .model = runner_.model_name(),
                   .stream = wanted.stream};
    head.headers = reply_headers(head.request_id, wanted.ignored);
    const auto listener = std::make_shared<AnthropicReply>(reply, std::move(head), signature_);
    start_turn(runner_, std::move(turn), listener, *reply);
    listener->open();
  } catch (...) {
    reply->send(error(api_error_of(std::current_exception())));
  }
}

void AnthropicApi::count_tokens(const HttpRequest& request, const std::shared_ptr<HttpReply>& reply,
                                std::string_view key) const {
  try {
    AnthropicRequest wanted =
        read_anthropic_request(request.body, signature_, AnthropicPurpose::kCount);
    wanted.turn.owner = wire_owner(key, wanted.user);
    const WireJson count = {{"input_tokens", runner_.count_tokens(wanted.turn)}};
    reply->send({.headers = reply_headers(wire_id("req_", sources_), wanted.ignored),
                 .body = wire_text(count)});
  } catch (...) {
    reply->send(error(api_error_of(std::current_exception())));
  }
}

}  // namespace minke
