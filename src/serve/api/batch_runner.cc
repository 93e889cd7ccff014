#include "serve/api/batch_runner.h"

#include <algorithm>
#include <charconv>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <utility>
#include <vector>

#include "base/core/error.h"
#include "serve/access/hash.h"
#include "serve/api/api_errors.h"
#include "serve/http/http_text.h"

namespace minke {
namespace {

constexpr size_t kRequestIdBytes = 12;
constexpr double kMostPauseSeconds = 3600;
// After the disk or the database has refused something.
constexpr double kTroubleSeconds = 10;

std::string header_of(const HttpResponse& response, std::string_view name) {
  for (const auto& [key, value] : response.headers) {
    if (lower_ascii(key) == name) return value;
  }
  return "";
}

double retry_after(const HttpResponse& response) {
  const std::string text = header_of(response, "retry-after");
  int64_t seconds = 1;
  std::from_chars(text.data(), text.data() + text.size(), seconds);
  return std::clamp(static_cast<double>(seconds), 1.0, kMostPauseSeconds);
}

std::chrono::steady_clock::duration duration_of(double seconds) {
  return std::chrono::duration_cast<std::chrono::steady_clock::duration>(
      std::chrono::duration<double>(seconds));
}

}  // namespace

// What others tell the thread. Replies hold it too, and may outlive the runner.
struct BatchRunner::Mailbox {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::pair<int64_t, HttpResponse>> answers;  // by the line's number
  bool woken = false;
  bool stopping = false;

  void put(int64_t number, HttpResponse response) {
    {
      const std::lock_guard lock(mutex);
      answers.emplace_back(number, std::move(response));
    }
    changed.notify_all();
  }
};

// Keeps the answer to one line. It may come from the engine's thread, which must not wait for the
// store: the mailbox takes it.
class BatchRunner::LineReply final : public HttpReply {
 public:
  LineReply(std::shared_ptr<Mailbox> mailbox, int64_t number)
      : mailbox_(std::move(mailbox)), number_(number) {}
  ~LineReply() override {
    answer(openai_error(api_error(500, "the server failed to answer this request")));
  }
  LineReply(const LineReply&) = delete;
  LineReply& operator=(const LineReply&) = delete;

  void send(HttpResponse response) override { answer(std::move(response)); }
  void begin_stream(HttpResponse) override {
    answer(openai_error(api_error(
               400, "stream: requests of a batch are answered whole; leave it out", "stream")),
           /*leaves=*/true);
  }
  void write(std::string) override {}
  void end() override {}
  void on_gone(std::function<void()> callback) override {
    {
      const std::lock_guard lock(mutex_);
      if (!gone_) {
        on_gone_ = std::move(callback);
        return;
      }
    }
    callback();
  }

  // Nobody waits for the answer any more.
  void leave() {
    std::function<void()> callback;
    {
      const std::lock_guard lock(mutex_);
      gone_ = answered_ = true;
      callback = std::exchange(on_gone_, nullptr);
    }
    if (callback) callback();
  }

 private:
  // Only the first answer counts. `leaves`: what follows it is not wanted.
  void answer(HttpResponse response, bool leaves = false) {
    std::function<void()> callback;
    {
      const std::lock_guard lock(mutex_);
      if (std::exchange(answered_, true)) return;
      gone_ = leaves;
      callback = std::exchange(on_gone_, nullptr);
    }
    mailbox_->put(number_, std::move(response));
    if (leaves && callback) callback();
  }

  const std::shared_ptr<Mailbox> mailbox_;
  const int64_t number_;
  std::mutex mutex_;
  bool answered_ = false, gone_ = false;
  std::function<void()> on_gone_;
};

BatchRunner::BatchRunner(BatchRunnerParts parts)
    : parts_(std::move(parts)), mailbox_(std::make_shared<Mailbox>()), thread_([this] { run(); }) {}

BatchRunner::~BatchRunner() {
  stop();
}

void BatchRunner::wake() {
  {
    const std::lock_guard lock(mailbox_->mutex);
    mailbox_->woken = true;
  }
  mailbox_->changed.notify_all();
}

void BatchRunner::stop() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mailbox_->mutex);
    mailbox_->stopping = true;
  }
  mailbox_->changed.notify_all();
  thread_.join();
}

void BatchRunner::run() {
  for (;;) {
    double wait = parts_.look_seconds;
    try {
      take_answers();
      const bool room = parts_.has_room(static_cast<int64_t>(in_hand_.size()));
      if (!room) {
        wait = parts_.room_seconds;
        look_without_room();
      } else if (start_line()) {
        wait = 0;
      }
    } catch (const std::exception& error) {
      report(error.what());
      wait = kTroubleSeconds;
    }
    Mailbox& mailbox = *mailbox_;
    std::unique_lock lock(mailbox.mutex);
    mailbox.changed.wait_for(lock, duration_of(wait), [&] {
      return mailbox.woken || mailbox.stopping || !mailbox.answers.empty();
    });
    mailbox.woken = false;
    if (mailbox.stopping) break;
  }
  // Answers that have come are kept; the others are not waited for.
  try {
    take_answers();
  } catch (const std::exception& error) {
    report(error.what());
  }
  for (auto& [number, one] : in_hand_) {
    if (const auto reply = one.reply.lock()) reply->leave();
    parts_.store->give_back(one.line);
  }
  in_hand_.clear();
}

void BatchRunner::take_answers() {
  std::vector<std::pair<int64_t, HttpResponse>> answers;
  {
    const std::lock_guard lock(mailbox_->mutex);
    answers.swap(mailbox_->answers);
  }
  for (const auto& [number, response] : answers) {
    const auto found = in_hand_.find(number);
    const BatchLine line = std::move(found->second.line);
    in_hand_.erase(found);
    try {
      take_answer(line, response);
    } catch (const std::exception& error) {
      // The line is answered again when the store has recovered.
      parts_.store->give_back(line);
      pause(line.owner, kTroubleSeconds);
      report(error.what());
    }
  }
}

void BatchRunner::take_answer(const BatchLine& line, const HttpResponse& response) {
  if (response.status == 429 || response.status == 503) {
    parts_.store->give_back(line);
    return pause(line.owner, retry_after(response));
  }
  std::string id = header_of(response, "x-request-id");
  if (id.empty()) id = "req_" + random_hex(kRequestIdBytes);
  parts_.store->finish_line(
      line, {.status = response.status, .request_id = std::move(id), .body = response.body});
}

// Batches are validated and ended however busy the server is.
void BatchRunner::look_without_room() {
  if (Clock::now() - looked_ < duration_of(parts_.look_seconds)) return;
  looked_ = Clock::now();
  parts_.store->next_line([](const std::string&) { return false; });
}

// False if there is no line to answer.
bool BatchRunner::start_line() {
  const auto now = Clock::now();
  looked_ = now;
  std::erase_if(paused_, [&](const auto& entry) { return entry.second <= now; });
  std::optional<BatchLine> line =
      parts_.store->next_line([&](const std::string& owner) { return !paused_.contains(owner); });
  if (!line) return false;
  const int64_t number = ++begun_;
  const auto reply = std::make_shared<LineReply>(mailbox_, number);
  const auto entry = in_hand_.emplace(number, InHand{std::move(*line), reply}).first;
  parts_.answer(entry->second.line, reply);
  return true;
}

void BatchRunner::pause(const std::string& owner, double seconds) {
  paused_[owner] = Clock::now() + duration_of(seconds);
}

void BatchRunner::report(const std::string& message) {
  if (parts_.warn) parts_.warn("batches: " + message);
}

}  // namespace minke
