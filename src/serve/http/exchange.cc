#include "serve/http/exchange.h"

#include <algorithm>
#include <ctime>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/core/check.h"
#include "serve/http/http_text.h"

namespace minke {
namespace {

bool is_reserved(std::string_view name) {
  constexpr std::string_view kReserved[] = {"connection", "content-length", "content-type",
                                            "date",       "keep-alive",     "server",
                                            "trailer",    "upgrade",        "transfer-encoding"};
  return std::find(std::begin(kReserved), std::end(kReserved), lower_ascii(name)) !=
         std::end(kReserved);
}

void append_header(std::string& head, std::string_view name, std::string_view value) {
  head.append(name).append(": ");
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    head.push_back((byte < 0x20 && c != '\t') || byte == 0x7f ? ' ' : c);
  }
  head.append("\r\n");
}

constexpr std::string_view kInterim = "HTTP/1.1 100 Continue\r\n\r\n";
constexpr std::string_view kComment = ":\n\n";

bool has_no_body(int status) {
  return status == 204 || status == 304;
}

class Reply final : public HttpReply {
 public:
  explicit Reply(std::shared_ptr<Exchange> exchange) : exchange_(std::move(exchange)) {}
  ~Reply() override { exchange_->abandon(); }
  Reply(const Reply&) = delete;
  Reply& operator=(const Reply&) = delete;

  void send(HttpResponse response) override { exchange_->send(std::move(response)); }
  void begin_stream(HttpResponse head) override { exchange_->begin_stream(std::move(head)); }
  void write(std::string bytes) override { exchange_->write(std::move(bytes)); }
  void end() override { exchange_->end(); }
  void on_gone(std::function<void()> callback) override { exchange_->on_gone(std::move(callback)); }

 private:
  const std::shared_ptr<Exchange> exchange_;
};

}  // namespace

std::string response_head(const HttpResponse& response, const ReplyFrame& frame,
                          BodyFraming framing, bool keep_alive) {
  CHECK(response.status >= 200 && response.status <= 599);
  std::string head =
      fmt::format("HTTP/1.1 {} {}\r\n", response.status, status_reason(response.status));
  append_header(head, "Date", http_date(std::time(nullptr)));
  append_header(head, "Server", "minke");
  if (!response.content_type.empty()) append_header(head, "Content-Type", response.content_type);
  if (framing == BodyFraming::kLength) {
    append_header(head, "Content-Length", fmt::format("{}", response.body.size()));
  } else if (framing == BodyFraming::kChunked) {
    append_header(head, "Transfer-Encoding", "chunked");
  }
  if (!keep_alive) {
    append_header(head, "Connection", "close");
  } else if (frame.http10) {
    append_header(head, "Connection", "keep-alive");
  }
  for (const auto& [name, value] : response.headers) {
    if (is_http_token(name) && !is_reserved(name)) append_header(head, name, value);
  }
  if (!frame.allowed_origin.empty()) {
    append_header(head, "Access-Control-Allow-Origin", frame.allowed_origin);
    append_header(head, "Access-Control-Expose-Headers", "*");
    append_header(head, "Vary", "Origin");
  }
  head.append("\r\n");
  return head;
}

Exchange::Exchange(ReplyFrame frame, int64_t unsent_bytes,
                   std::shared_ptr<const std::atomic<bool>> last, std::function<void()> wake)
    : frame_(std::move(frame)),
      unsent_limit_(unsent_bytes),
      last_(std::move(last)),
      wake_(std::move(wake)) {}

void Exchange::send(HttpResponse response) {
  std::function<void()> released;
  {
    const std::lock_guard lock(mutex_);
    if (stage_ != Stage::kWaiting) return;
    keep_alive_ = frame_.keep_alive && !last_->load();
    const bool empty = has_no_body(response.status);
    std::string text = response_head(
        response, frame_, empty ? BodyFraming::kNone : BodyFraming::kLength, keep_alive_);
    if (!empty && !frame_.head_only) text += response.body;
    put(std::move(text), false);
    stage_ = Stage::kComplete;
    released = std::exchange(on_gone_, nullptr);
  }
  notify();
}

void Exchange::begin_stream(HttpResponse head) {
  CHECK(head.body.empty() && !has_no_body(head.status));
  {
    const std::lock_guard lock(mutex_);
    if (stage_ != Stage::kWaiting) return;
    framing_ = frame_.http10 ? BodyFraming::kUntilClose : BodyFraming::kChunked;
    events_ = head.content_type.starts_with("text/event-stream");
    keep_alive_ = frame_.keep_alive && !last_->load() && !frame_.http10;
    put(response_head(head, frame_, framing_, keep_alive_), false);
    stage_ = Stage::kStreaming;
  }
  notify();
}

void Exchange::write(std::string bytes) {
  bool dropped = false;
  {
    const std::lock_guard lock(mutex_);
    CHECK(stage_ != Stage::kWaiting);
    if (stage_ != Stage::kStreaming || bytes.empty() || frame_.head_only || dropped_) return;
    put_piece(std::move(bytes));
    dropped = dropped_;
  }
  // The connection does not take more while its client does not, and is to hear of this now.
  notify(dropped);
}

void Exchange::end() {
  std::function<void()> released;
  {
    const std::lock_guard lock(mutex_);
    CHECK(stage_ != Stage::kWaiting);
    if (stage_ != Stage::kStreaming) return;
    if (framing_ == BodyFraming::kChunked && !frame_.head_only) put("0\r\n\r\n", false);
    stage_ = Stage::kComplete;
    released = std::exchange(on_gone_, nullptr);
  }
  notify();
}

void Exchange::on_gone(std::function<void()> callback) {
  {
    const std::lock_guard lock(mutex_);
    if (stage_ == Stage::kComplete) return;
    if (stage_ != Stage::kGone) {
      std::swap(on_gone_, callback);
      return;
    }
  }
  callback();
}

void Exchange::abandon() {
  // Nobody else holds the reply, so that nothing can be sent in between; send() does nothing
  // unless the handler has not begun.
  std::function<void()> released;
  {
    const std::lock_guard lock(mutex_);
    if (stage_ == Stage::kStreaming) {
      // Without the last chunk, and closed: nobody takes it for the whole.
      keep_alive_ = false;
      stage_ = Stage::kComplete;
      released = std::exchange(on_gone_, nullptr);
    }
  }
  send(http_error(500, "no_answer", "the request was not answered"));
  notify();
}

// With the lock held.
void Exchange::put(std::string bytes, bool bounded) {
  if (dropped_) return;
  if (bounded && unsent_ >= unsent_limit_) {
    dropped_ = true;
    out_ = std::string();
    return;
  }
  unsent_ += static_cast<int64_t>(bytes.size());
  if (out_.empty()) {
    out_ = std::move(bytes);
  } else {
    out_ += bytes;
  }
}

// Of a stream, with the lock held.
void Exchange::put_piece(std::string bytes) {
  if (framing_ == BodyFraming::kChunked) {
    put(fmt::format("{:x}\r\n{}\r\n", bytes.size(), bytes), true);
  } else {
    put(std::move(bytes), true);
  }
}

bool Exchange::ask_for_life() {
  {
    const std::lock_guard lock(mutex_);
    if (stage_ == Stage::kWaiting) {
      if (frame_.http10) return false;
      put(std::string(kInterim), false);
    } else if (stage_ == Stage::kStreaming && events_ && !frame_.head_only) {
      put_piece(std::string(kComment));
    }
  }
  notify();
  return true;
}

void Exchange::notify(bool always) {
  {
    const std::lock_guard lock(mutex_);
    if (woken_ && !always) return;
    woken_ = true;
  }
  wake_();
}

Exchange::Taken Exchange::take(std::string& out) {
  const std::lock_guard lock(mutex_);
  woken_ = false;
  out += std::exchange(out_, {});
  return {stage_ == Stage::kComplete, keep_alive_};
}

void Exchange::sent(size_t bytes) {
  const std::lock_guard lock(mutex_);
  unsent_ -= static_cast<int64_t>(bytes);
}

bool Exchange::complete() const {
  const std::lock_guard lock(mutex_);
  return stage_ == Stage::kComplete && !dropped_;
}

bool Exchange::dropped() const {
  const std::lock_guard lock(mutex_);
  return dropped_;
}

void Exchange::gone() {
  std::function<void()> callback;
  {
    const std::lock_guard lock(mutex_);
    if (stage_ == Stage::kComplete || stage_ == Stage::kGone) return;
    stage_ = Stage::kGone;
    out_ = std::string();
    callback = std::exchange(on_gone_, nullptr);
  }
  if (callback) callback();
}

std::shared_ptr<HttpReply> make_reply(std::shared_ptr<Exchange> exchange) {
  return std::make_shared<Reply>(std::move(exchange));
}

}  // namespace minke
