#include "serve/http/event_pulse.h"

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

constexpr const char* kKeepAlive = ": keep-alive\n\n";

}  // namespace

struct EventPulse::Impl {
  void run();
  void add(const std::shared_ptr<Stream>& stream);

  Clock::duration period{};
  std::mutex mutex;
  std::condition_variable wake;
  bool stop = false;
  std::vector<std::weak_ptr<Stream>> streams;
  std::thread thread;
};

class EventPulse::Stream final : public HttpReply, public std::enable_shared_from_this<Stream> {
 public:
  Stream(std::shared_ptr<HttpReply> reply, std::weak_ptr<Impl> pulse)
      : reply_(std::move(reply)), pulse_(std::move(pulse)) {}

  void send(HttpResponse response) override { reply_->send(std::move(response)); }
  void begin_stream(HttpResponse head) override {
    const bool events = head.content_type.starts_with("text/event-stream");
    reply_->begin_stream(std::move(head));
    spoke_ = Clock::now();
    const auto pulse = pulse_.lock();
    if (events && pulse) pulse->add(shared_from_this());
  }
  void write(std::string bytes) override {
    spoke_ = Clock::now();
    reply_->write(std::move(bytes));
  }
  void end() override {
    ended_ = true;
    reply_->end();
  }
  void on_gone(std::function<void()> callback) override { reply_->on_gone(std::move(callback)); }

  Clock::time_point spoke() const { return spoke_; }
  bool ended() const { return ended_; }

 private:
  const std::shared_ptr<HttpReply> reply_;
  const std::weak_ptr<Impl> pulse_;
  std::atomic<Clock::time_point> spoke_ = Clock::now();
  std::atomic<bool> ended_ = false;
};

void EventPulse::Impl::add(const std::shared_ptr<Stream>& stream) {
  {
    const std::lock_guard lock(mutex);
    streams.push_back(stream);
  }
  wake.notify_all();
}

void EventPulse::Impl::run() {
  std::unique_lock lock(mutex);
  while (!stop) {
    if (streams.empty()) {
      wake.wait(lock);
      continue;
    }
    const Clock::time_point now = Clock::now();
    Clock::time_point next = now + period;
    std::vector<std::shared_ptr<Stream>> held;
    std::erase_if(streams, [&](const std::weak_ptr<Stream>& weak) {
      auto stream = weak.lock();
      if (!stream || stream->ended()) return true;
      const Clock::time_point due = stream->spoke() + period;
      if (due > now) next = std::min(next, due);
      // Also those that are not due: if the last reference is this one, it goes without the lock.
      held.push_back(std::move(stream));
      return false;
    });
    lock.unlock();
    for (const auto& stream : held) {
      if (stream->spoke() + period <= now) stream->write(kKeepAlive);
    }
    held.clear();
    lock.lock();
    // A stream that came in between is not due before `next`.
    if (!stop) wake.wait_until(lock, next);
  }
}

EventPulse::EventPulse(double seconds) : impl_(std::make_shared<Impl>()) {
  CHECK(seconds > 0 && seconds < 1e8);
  impl_->period =
      std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  impl_->thread = std::thread([impl = impl_.get()] { impl->run(); });
}

EventPulse::~EventPulse() {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->stop = true;
  }
  impl_->wake.notify_all();
  impl_->thread.join();
}

std::shared_ptr<HttpReply> EventPulse::keep(std::shared_ptr<HttpReply> reply) {
  return std::make_shared<Stream>(std::move(reply), impl_);
}

}  // namespace minke
