#include "serve/api/responses/responses_reply.h"

#include <algorithm>
#include <mutex>

#include "base/core/check.h"
#include "serve/api/api_errors.h"
#include "serve/api/responses/responses_items.h"
#include "serve/api/responses/responses_request.h"
#include "text/chat/json_text.h"

namespace minke {
namespace {

using Item = ResponsesItem;

WireJson text_or_null(const std::string& text) {
  return text.empty() ? WireJson() : WireJson(text);
}

// Of the codes that a response can fail with.
std::string_view failure_code(const ApiError& error) {
  if (error.status == 429) return "rate_limit_exceeded";
  return error.status < 500 ? "invalid_prompt" : "server_error";
}

struct ReplyHead {
  std::string id, model;
  int64_t created_at = 0;
  bool stream = false;
  WireJson echo;
  HttpHeaders headers;
};

// Writes one reply. The engine's thread calls it, and the server's thread open(); whichever comes
// first begins the stream.
class ResponsesReply : public TurnListener {
 public:
  ResponsesReply(std::shared_ptr<HttpReply> reply, ReplyHead head, WireSources sources)
      : reply_(std::move(reply)), head_(std::move(head)), sources_(std::move(sources)) {}

  // The turn is admitted: a stream can begin.
  void open() {
    const std::lock_guard lock(mutex_);
    open_stream();
    flush();
  }

  void started(int64_t prompt_tokens, int64_t cached_tokens) override {
    const std::lock_guard lock(mutex_);
    usage_.prompt_tokens = prompt_tokens;
    usage_.cached_tokens = cached_tokens;
    open_stream();
    event("response.in_progress", {{"response", response("in_progress")}});
    flush();
  }

  void delta(int choice, const TurnDelta& delta) override {
    const std::lock_guard lock(mutex_);
    CHECK(choice == 0);
    scores_.insert(scores_.end(), delta.scores.begin(), delta.scores.end());
    if (!delta.reasoning.empty()) add(Item::Kind::kReasoning, delta.reasoning);
    if (!delta.content.empty()) add(Item::Kind::kMessage, delta.content);
    for (const auto& piece : delta.calls) {
      if (!piece.name.empty()) {
        begin({.kind = Item::Kind::kCall, .call_id = piece.id, .name = piece.name});
      }
      if (!piece.arguments.empty()) add(Item::Kind::kCall, piece.arguments);
    }
    flush();
  }

  void ended(int choice, TurnEnd end, const std::string&) override {
    const std::lock_guard lock(mutex_);
    CHECK(choice == 0);
    end_ = end;
  }

  void finished(const TurnUsage& usage) override {
    const std::lock_guard lock(mutex_);
    usage_ = usage;
    if (end_ == TurnEnd::kCancelled) return fail(cancelled_error());
    if (!reply_) return;
    const bool cut = end_ == TurnEnd::kLength;
    close_item(cut ? Item::Status::kIncomplete : Item::Status::kCompleted);
    WireJson json = response(cut ? "incomplete" : "completed");
    if (cut) json["incomplete_details"] = {{"reason", "max_output_tokens"}};
    if (!cut) json["completed_at"] = sources_.now();
    if (head_.stream) {
      event(cut ? "response.incomplete" : "response.completed", {{"response", std::move(json)}});
      flush();
      reply_->end();
    } else {
      reply_->send({.headers = head_.headers, .body = wire_text(json)});
    }
    reply_.reset();
  }

  void failed(const ApiError& error) override {
    const std::lock_guard lock(mutex_);
    fail(error);
  }

 private:
  void open_stream() {
    if (!reply_ || !head_.stream || open_) return;
    reply_->begin_stream(wire_stream_head(head_.headers));
    open_ = true;
    event("response.created", {{"response", response("in_progress")}});
  }

  void event(std::string_view type, const WireJson& members) {
    if (!head_.stream) return;
    WireJson json = {{"type", type}, {"sequence_number", sequence_++}};
    json.update(members);
    unsent_ += wire_event(json);
  }

  void flush() {
    if (reply_ && !unsent_.empty()) reply_->write(std::move(unsent_));
    unsent_.clear();
  }

  // Usage is what has been used so far; the schema has no null for it.
  WireJson response(std::string_view status) const {
    WireJson json = {{"id", head_.id},
                     {"object", "response"},
                     {"created_at", head_.created_at},
                     {"completed_at", nullptr},
                     {"status", status},
                     {"error", nullptr},
                     {"incomplete_details", nullptr},
                     {"model", head_.model},
                     {"output", WireJson::array()},
                     {"usage", responses_usage_json(usage_)}};
    for (const Item& item : items_) json["output"].push_back(responses_item_json(item));
    json.update(head_.echo);
    return json;
  }

  // Their clients differ in which of the two events they know for a failure: both are sent.
  void fail(const ApiError& error) {
    if (!reply_) return;
    if (open_) {
      if (item_open_) items_.back().status = Item::Status::kIncomplete;
      event("error", {{"code", error.code.empty() ? error.type : error.code},
                      {"message", error.message},
                      {"param", text_or_null(error.param)}});
      WireJson json = response("failed");
      json["error"] = {{"code", failure_code(error)}, {"message", error.message}};
      event("response.failed", {{"response", std::move(json)}});
      flush();
      reply_->end();
    } else {
      reply_->send(openai_error(error));
    }
    reply_.reset();
  }

  // An event of the last item, and one of its only part.
  void item_event(std::string_view type, WireJson members) {
    members["item_id"] = items_.back().id;
    members["output_index"] = items_.size() - 1;
    event(type, members);
  }
  void part_event(std::string_view type, WireJson members) {
    members["content_index"] = 0;
    item_event(type, std::move(members));
  }
  void whole_item_event(std::string_view type) {
    event(type,
          {{"output_index", items_.size() - 1}, {"item", responses_item_json(items_.back())}});
  }

  void begin(Item item) {
    close_item(Item::Status::kCompleted);
    const bool reasoning = item.kind == Item::Kind::kReasoning;
    const bool call = item.kind == Item::Kind::kCall;
    item.id = wire_id(call ? "fc_" : reasoning ? "rs_" : "msg_", sources_);
    items_.push_back(std::move(item));
    item_open_ = true;
    whole_item_event("response.output_item.added");
    if (!call) {
      part_event("response.content_part.added", {{"part", responses_part_json(items_.back())}});
    }
  }

  void add(Item::Kind kind, const std::string& text) {
    const bool goes_on = item_open_ && items_.back().kind == kind;
    CHECK(goes_on || kind != Item::Kind::kCall);
    if (!goes_on) begin({.kind = kind});
    Item& item = items_.back();
    item.text += text;
    if (kind == Item::Kind::kReasoning) {
      part_event("response.reasoning_text.delta", {{"delta", text}});
    } else if (kind == Item::Kind::kCall) {
      item_event("response.function_call_arguments.delta", {{"delta", text}});
    } else {
      part_event("response.output_text.delta",
                 {{"delta", text}, {"logprobs", responses_scores_json(scores_)}});
      take_scores(item);
    }
  }

  void take_scores(Item& item) {
    item.scores.insert(item.scores.end(), std::make_move_iterator(scores_.begin()),
                       std::make_move_iterator(scores_.end()));
    scores_.clear();
  }

  void close_item(Item::Status status) {
    if (!item_open_) return;
    item_open_ = false;
    Item& item = items_.back();
    item.status = status;
    if (item.kind == Item::Kind::kCall) {
      close_call(item);
    } else {
      if (item.kind == Item::Kind::kMessage) take_scores(item);
      close_part(item);
    }
    whole_item_event("response.output_item.done");
  }

  void close_call(Item& item) {
    if (item.text.empty() && item.status == Item::Status::kCompleted) item.text = "{}";
    // The limit may have come right behind the call.
    if (json_members(item.text)) item.status = Item::Status::kCompleted;
    if (item.status != Item::Status::kCompleted) return;
    item_event("response.function_call_arguments.done",
               {{"name", item.name}, {"arguments", item.text}});
  }

  void close_part(const Item& item) {
    WireJson done = {{"text", item.text}};
    if (item.kind == Item::Kind::kMessage) {
      done["logprobs"] = responses_scores_json(item.scores);
      part_event("response.output_text.done", std::move(done));
    } else {
      part_event("response.reasoning_text.done", std::move(done));
    }
    part_event("response.content_part.done", {{"part", responses_part_json(item)}});
  }

  std::mutex mutex_;                  // guards all below
  std::shared_ptr<HttpReply> reply_;  // none once the reply is complete
  ReplyHead head_;
  WireSources sources_;
  bool open_ = false;
  int64_t sequence_ = 0;
  std::string unsent_;
  std::vector<Item> items_;
  bool item_open_ = false;          // the last of them
  std::vector<ScoredText> scores_;  // of tokens whose text is still to come
  TurnUsage usage_;
  TurnEnd end_ = TurnEnd::kStop;
};

}  // namespace

void ResponsesApi::responses(const HttpRequest& request, const std::shared_ptr<HttpReply>& reply,
                             std::string_view key) const {
  try {
    ResponsesRequest wanted = read_responses_request(request.body);
    TurnRequest& turn = wanted.turn;
    turn.max_tokens = std::min(turn.max_tokens, runner_.context());
    turn.owner = wire_owner(key, wanted.user);
    turn.caller = key;
    if (!wanted.has_seed) turn.sampling.seed = sources_.random();
    ReplyHead head{.id = wire_id("resp_", sources_),
                   .model = runner_.model_name(),
                   .created_at = sources_.now(),
                   .stream = wanted.stream,
                   .echo = std::move(wanted.echo),
                   .headers = ignored_headers(wanted.ignored)};
    const auto listener = std::make_shared<ResponsesReply>(reply, std::move(head), sources_);
    start_turn(runner_, std::move(turn), listener, *reply);
    listener->open();
  } catch (...) {
    reply->send(openai_error(api_error_of(std::current_exception())));
  }
}

}  // namespace minke
