#include "serve/http/event_stream.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "base/core/check.h"

namespace minke {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::string_view kKeepAlive = ": keep-alive\n\n";

}  // namespace

struct EventStream::Line {
  explicit Line(std::shared_ptr<HttpReply> reply_of) : reply(std::move(reply_of)) {}

  void write(std::string bytes) {
    if (ended) return;
    spoke = Clock::now();
    reply->write(std::move(bytes));
  }

  const std::shared_ptr<HttpReply> reply;
  std::atomic<Clock::time_point> spoke = Clock::now();
  std::atomic<bool> ended = false;
};

struct EventPulse::Impl {
  explicit Impl(double seconds)
      : period(std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds))),
        thread([this] { run(); }) {}

  ~Impl() {
    {
      const std::lock_guard lock(mutex);
      stop = true;
    }
    wake.notify_all();
    thread.join();
  }

  void add(const std::shared_ptr<EventStream::Line>& line) {
    {
      const std::lock_guard lock(mutex);
      lines.push_back(line);
    }
    wake.notify_all();
  }

  void run() {
    std::unique_lock lock(mutex);
    while (!stop) {
      if (lines.empty()) {
        wake.wait(lock);
        continue;
      }
      const Clock::time_point now = Clock::now();
      Clock::time_point next = now + period;
      std::vector<std::shared_ptr<EventStream::Line>> held;
      std::erase_if(lines, [&](const std::weak_ptr<EventStream::Line>& weak) {
        auto line = weak.lock();
        if (!line || line->ended) return true;
        const Clock::time_point due = line->spoke.load() + period;
        if (due > now) next = std::min(next, due);
        // Also those that are not due: if the last reference is this one, it goes without the lock.
        held.push_back(std::move(line));
        return false;
      });
      lock.unlock();
      for (auto& line : held) {
        if (line->spoke.load() + period <= now) line->write(std::string(kKeepAlive));
      }
      held.clear();
      lock.lock();
      // A stream that came in between is not due before `next`.
      if (!stop) wake.wait_until(lock, next);
    }
  }

  const Clock::duration period;
  std::mutex mutex;
  std::condition_variable wake;
  bool stop = false;
  std::vector<std::weak_ptr<EventStream::Line>> lines;
  std::thread thread;
};

EventPulse::EventPulse(double seconds) {
  CHECK(seconds > 0 && seconds < 1e8);
  impl_ = std::make_unique<Impl>(seconds);
}

EventPulse::~EventPulse() = default;

EventStream::EventStream(std::shared_ptr<HttpReply> reply, EventPulse& pulse, HttpHeaders headers)
    : line_(std::make_shared<Line>(std::move(reply))) {
  HttpResponse head;
  head.content_type = "text/event-stream; charset=utf-8";
  head.headers = std::move(headers);
  head.headers.emplace_back("Cache-Control", "no-cache");
  head.headers.emplace_back("X-Accel-Buffering", "no");
  line_->reply->begin_stream(std::move(head));
  pulse.impl_->add(line_);
}

void EventStream::data(std::string_view text) {
  line_->write(event_field("data", text) + "\n");
}

void EventStream::event(std::string_view name, std::string_view text) {
  CHECK(name.find_first_of("\r\n") == std::string_view::npos);
  line_->write(event_field("event", name) + event_field("data", text) + "\n");
}

void EventStream::comment(std::string_view text) {
  line_->write(event_field("", text) + "\n");
}

void EventStream::end() {
  if (!line_->ended.exchange(true)) line_->reply->end();
}

std::string event_field(std::string_view name, std::string_view text) {
  std::string field;
  field.reserve(name.size() + text.size() + 3);
  for (;;) {
    const size_t end = std::min(text.find_first_of("\r\n"), text.size());
    field.append(name).append(": ").append(text.substr(0, end)).push_back('\n');
    if (end == text.size()) return field;
    text.remove_prefix(text.substr(end).starts_with("\r\n") ? end + 2 : end + 1);
  }
}

}  // namespace minke
