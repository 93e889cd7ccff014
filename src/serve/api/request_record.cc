#include "serve/api/request_record.h"

#include <algorithm>
#include <utility>

#include <nlohmann/json.hpp>

#include "serve/api/api_errors.h"
#include "serve/api/openai/fields.h"
#include "serve/api/request_id.h"
#include "serve/api/wire_reply.h"

namespace minke {
namespace {

RequestEnd end_of(TurnEnd end) {
  switch (end) {
    case TurnEnd::kStop:
      return RequestEnd::kStop;
    case TurnEnd::kLength:
      return RequestEnd::kLength;
    case TurnEnd::kToolCalls:
      return RequestEnd::kToolCalls;
    case TurnEnd::kCancelled:
      return RequestEnd::kCancelled;
  }
  return RequestEnd::kStop;
}

class RecordedReply final : public HttpReply {
 public:
  RecordedReply(std::shared_ptr<HttpReply> reply, std::shared_ptr<RequestRecord> record)
      : reply_(std::move(reply)), record_(std::move(record)) {}

  void send(HttpResponse response) override {
    record_->answered(response);
    if (const auto receipt = record_->receipt()) {
      response.headers.emplace_back("X-Minke-Receipt", receipt_header(*receipt));
    }
    record_->close();
    reply_->send(std::move(response));
  }
  void begin_stream(HttpResponse head) override {
    record_->answered(head);
    reply_->begin_stream(std::move(head));
  }
  void write(std::string bytes) override { reply_->write(std::move(bytes)); }
  void end() override {
    if (const auto receipt = record_->receipt()) {
      reply_->write(": receipt " + receipt_json(*receipt).dump() + "\n\n");
    }
    record_->close();
    reply_->end();
  }
  void on_gone(std::function<void()> callback) override { reply_->on_gone(std::move(callback)); }

 private:
  std::shared_ptr<HttpReply> reply_;
  std::shared_ptr<RequestRecord> record_;
};

class RecordedTurn final : public TurnListener {
 public:
  RecordedTurn(std::shared_ptr<TurnListener> listener, std::shared_ptr<RequestRecord> record)
      : listener_(std::move(listener)), record_(std::move(record)) {}

  void started(int64_t prompt_tokens, int64_t cached_tokens) override {
    began_ = true;
    record_->started();
    listener_->started(prompt_tokens, cached_tokens);
  }
  void delta(int choice, const TurnDelta& delta) override {
    record_->wrote(delta.reasoning);
    record_->wrote(delta.content);
    for (const auto& call : delta.calls) record_->wrote(call.arguments);
    listener_->delta(choice, delta);
  }
  void ended(int choice, TurnEnd end, const std::string& stop) override {
    record_->ended(end);
    listener_->ended(choice, end, stop);
  }
  void finished(const TurnUsage& usage) override {
    if (began_) record_->used(usage);
    listener_->finished(usage);
  }
  void failed(const ApiError& error) override {
    record_->failed();
    listener_->failed(error);
  }

 private:
  std::shared_ptr<TurnListener> listener_;
  std::shared_ptr<RequestRecord> record_;
  bool began_ = false;
};

class RecordedCompletion final : public CompletionListener {
 public:
  RecordedCompletion(std::shared_ptr<CompletionListener> listener,
                     std::shared_ptr<RequestRecord> record)
      : listener_(std::move(listener)), record_(std::move(record)) {}

  void started(int64_t prompt_tokens, int64_t cached_tokens) override {
    began_ = true;
    record_->started();
    listener_->started(prompt_tokens, cached_tokens);
  }
  void scored(std::vector<ScoredText> prompt) override { listener_->scored(std::move(prompt)); }
  void text(std::string text, std::vector<CompletionToken> tokens) override {
    record_->wrote(text);
    listener_->text(std::move(text), std::move(tokens));
  }
  void finished(TurnEnd end, const TurnUsage& usage) override {
    record_->ended(end);
    if (began_) record_->used(usage);
    listener_->finished(end, usage);
  }
  void failed(const ApiError& error) override {
    record_->failed();
    listener_->failed(error);
  }

 private:
  std::shared_ptr<CompletionListener> listener_;
  std::shared_ptr<RequestRecord> record_;
  bool began_ = false;
};

}  // namespace

RequestRecord::RequestRecord(const RecordKeeping& keeping, RequestOrigin origin,
                             std::shared_ptr<QuotaTicket> ticket, const std::string& body)
    : keeping_(keeping), origin_(std::move(origin)), ticket_(std::move(ticket)) {
  if (keeping_.audit == nullptr) return;
  // Bodies are many and large; a hash is all that most logs want of them.
  (keeping_.audit->keeps_content() ? body_ : body_sha256_) =
      keeping_.audit->keeps_content() ? body : content_sha256(body);
}

double RequestRecord::since_arrival() const {
  return std::chrono::duration<double>(Clock::now() - arrival_).count();
}

void RequestRecord::answered(const HttpResponse& head) {
  const std::lock_guard lock(mutex_);
  status_ = head.status;
  id_ = request_id_of(head);
}

void RequestRecord::asked_for(std::string_view owner) {
  const std::lock_guard lock(mutex_);
  user_ = owner_user(owner);
}

void RequestRecord::not_taken(const std::exception_ptr& why) {
  if (keeping_.metrics != nullptr && api_error_of(why).code == kQueueFull) {
    keeping_.metrics->rejected(Rejection::kQueueFull);
  }
  std::rethrow_exception(why);
}

void RequestRecord::started() {
  const std::lock_guard lock(mutex_);
  in_engine_ = true;
}

void RequestRecord::wrote(std::string_view text) {
  if (text.empty()) return;
  const std::lock_guard lock(mutex_);
  const Clock::time_point now = Clock::now();
  if (last_text_ && keeping_.metrics != nullptr) {
    keeping_.metrics->token_gap(std::chrono::duration<double>(now - *last_text_).count());
  }
  if (!last_text_) first_token_seconds_ = since_arrival();
  last_text_ = now;
  if (keeping_.audit != nullptr) answer_ += text;
}

void RequestRecord::ended(TurnEnd end) {
  const std::lock_guard lock(mutex_);
  end_ = end;
}

void RequestRecord::used(const TurnUsage& usage) {
  const std::lock_guard lock(mutex_);
  if (!usage_) {
    usage_ = usage;
    return;
  }
  usage_->prompt_tokens += usage.prompt_tokens;
  usage_->cached_tokens += usage.cached_tokens;
  usage_->completion_tokens += usage.completion_tokens;
  usage_->reasoning_tokens += usage.reasoning_tokens;
  usage_->cpu_seconds += usage.cpu_seconds;
  // Tasks of one request are computed side by side.
  usage_->queue_seconds = std::max(usage_->queue_seconds, usage.queue_seconds);
  usage_->decode_seconds = std::max(usage_->decode_seconds, usage.decode_seconds);
}

void RequestRecord::failed() {
  const std::lock_guard lock(mutex_);
  failed_ = true;
}

std::optional<Receipt> RequestRecord::receipt() const {
  const std::lock_guard lock(mutex_);
  if (!usage_) return std::nullopt;
  RequestCost cost;
  cost.prompt_tokens = usage_->prompt_tokens;
  cost.cached_tokens = usage_->cached_tokens;
  cost.completion_tokens = usage_->completion_tokens;
  cost.cpu_seconds = usage_->cpu_seconds;
  // Weights that generation would have read by itself, over the time that it took. Sequences that
  // share passes read them once, so that a crowd may pass the limit of one.
  // The first token comes with the prompt.
  const int64_t later = std::max<int64_t>(usage_->completion_tokens - 1, 0);
  cost.bytes_read = keeping_.token_bytes * static_cast<double>(later);
  cost.seconds = later > 0 ? usage_->decode_seconds : 0;
  CostBasis basis;
  basis.read_bandwidth = keeping_.read_bandwidth;
  if (keeping_.energy != nullptr) {
    basis.joules_per_cpu_second = keeping_.energy->joules_per_cpu_second();
  }
  basis.prices = keeping_.prices;
  return make_receipt(cost, basis);
}

RequestRecord::~RequestRecord() {
  close();
}

void RequestRecord::close() {
  const std::optional<Receipt> receipt = this->receipt();
  const std::lock_guard lock(mutex_);
  if (std::exchange(closed_, true)) return;
  const TurnUsage usage = usage_.value_or(TurnUsage{});
  if (ticket_) ticket_->charge(usage.prompt_tokens + usage.completion_tokens);
  ticket_.reset();
  if (keeping_.metrics != nullptr) {
    if (in_engine_) {
      RequestFigures figures;
      figures.end = failed_ ? RequestEnd::kFailed : end_of(end_);
      figures.prompt_tokens = usage.prompt_tokens;
      figures.cached_tokens = usage.cached_tokens;
      figures.generated_tokens = usage.completion_tokens;
      figures.queue_seconds = usage_ ? usage.queue_seconds : -1;
      figures.first_token_seconds = first_token_seconds_;
      figures.seconds = since_arrival();
      figures.joules = receipt && receipt->joules ? *receipt->joules : -1;
      keeping_.metrics->ended(figures);
    }
  }
  if (keeping_.audit == nullptr) return;
  try {
    AuditRecord record;
    record.id = id_.empty() ? origin_.id : id_;
    record.key = origin_.key;
    record.user = user_;
    record.peer = origin_.peer;
    record.endpoint = origin_.endpoint;
    record.model = keeping_.model;
    record.prompt_tokens = usage.prompt_tokens;
    record.completion_tokens = usage.completion_tokens;
    record.cached_tokens = usage.cached_tokens;
    record.seconds = since_arrival();
    record.status = status_;
    record.prompt = body_;
    record.prompt_sha256 = body_sha256_;
    record.answer = answer_;
    keeping_.audit->append(std::move(record));
  } catch (const std::exception& error) {
    if (keeping_.warn) keeping_.warn(error.what());
  }
}

std::shared_ptr<HttpReply> recorded(std::shared_ptr<HttpReply> reply,
                                    std::shared_ptr<RequestRecord> record) {
  return std::make_shared<RecordedReply>(std::move(reply), std::move(record));
}

std::shared_ptr<TurnHandle> RecordedTurns::start(TurnRequest request,
                                                 std::shared_ptr<TurnListener> listener) {
  record_->asked_for(request.owner);
  if (!request.model.empty()) check_model(request.model, runner_.model_name(), names_);
  try {
    return runner_.start(std::move(request),
                         std::make_shared<RecordedTurn>(std::move(listener), record_));
  } catch (...) {
    record_->not_taken(std::current_exception());
  }
}

std::shared_ptr<TurnHandle> RecordedCompletions::start(
    CompletionTask task, std::shared_ptr<CompletionListener> listener) {
  record_->asked_for(task.owner);
  try {
    return runner_.start(std::move(task),
                         std::make_shared<RecordedCompletion>(std::move(listener), record_));
  } catch (...) {
    record_->not_taken(std::current_exception());
  }
}

}  // namespace minke
