#include "serve/engine/engine.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "serve/engine/scheduler.h"

namespace minke {

struct Engine::Impl {
  struct Submitted {
    int64_t number;
    EngineRequest request;
    std::shared_ptr<EngineListener> listener;
  };

  Impl(const Model& model, const EngineOptions& options)
      : scheduler(model, options), queue(options.queue) {}

  void run();
  bool take_orders();

  Scheduler scheduler;  // the thread's own, but for check(), context() and threads()
  const int64_t queue;

  mutable std::mutex mutex;
  std::condition_variable orders_came, became_idle;
  std::vector<Submitted> submitted;
  std::vector<int64_t> cancelled;
  int64_t next_number = 0;
  EngineStats stats;  // as of the last pass
  bool draining = false, stop = false, idle = true;
  std::thread thread;
};

// Hands over what came in; false when the engine is to stop. Waits while there is nothing to do.
bool Engine::Impl::take_orders() {
  std::vector<Submitted> requests;
  std::vector<int64_t> cancels;
  {
    const EngineStats latest = scheduler.stats();
    std::unique_lock lock(mutex);
    stats = latest;
    idle = submitted.empty() && stats.running == 0 && stats.waiting == 0;
    if (idle) {
      became_idle.notify_all();
      orders_came.wait(lock, [&] { return stop || !submitted.empty(); });
      idle = false;
    }
    if (stop) return false;
    std::swap(requests, submitted);
    stats.waiting += static_cast<int64_t>(requests.size());
    std::swap(cancels, cancelled);
  }
  for (Submitted& s : requests) {
    scheduler.submit(s.number, std::move(s.request), std::move(s.listener));
  }
  for (const int64_t number : cancels) scheduler.cancel(number);
  return true;
}

void Engine::Impl::run() {
  while (take_orders()) scheduler.step();
  // What is left hears that it has ended.
  for (Submitted& s : submitted) {
    scheduler.submit(s.number, std::move(s.request), std::move(s.listener));
  }
  scheduler.cancel_all();
}

Engine::Engine(const Model& model, const EngineOptions& options)
    : impl_(std::make_unique<Impl>(model, options)) {
  impl_->thread = std::thread([this] { impl_->run(); });
}

Engine::~Engine() {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->stop = true;
  }
  impl_->orders_came.notify_all();
  impl_->thread.join();
}

int64_t Engine::submit(EngineRequest request, std::shared_ptr<EngineListener> listener) {
  impl_->scheduler.check(request);
  const std::lock_guard lock(impl_->mutex);
  if (impl_->draining || impl_->stop) throw Refused("engine: it takes no more requests");
  const auto queued = static_cast<int64_t>(impl_->submitted.size()) + impl_->stats.waiting;
  if (queued >= impl_->queue) {
    throw Refused(fmt::format("engine: the queue is full, {} requests wait", queued));
  }
  const int64_t number = impl_->next_number++;
  impl_->submitted.push_back({number, std::move(request), std::move(listener)});
  impl_->orders_came.notify_all();
  return number;
}

void Engine::cancel(int64_t request) {
  const std::lock_guard lock(impl_->mutex);
  impl_->cancelled.push_back(request);
}

bool Engine::drain(double seconds) {
  std::unique_lock lock(impl_->mutex);
  impl_->draining = true;
  return impl_->became_idle.wait_for(lock, std::chrono::duration<double>(seconds),
                                     [&] { return impl_->idle && impl_->submitted.empty(); });
}

EngineStats Engine::stats() const {
  const std::lock_guard lock(impl_->mutex);
  EngineStats stats = impl_->stats;
  stats.waiting += static_cast<int64_t>(impl_->submitted.size());
  return stats;
}

int64_t Engine::context() const {
  return impl_->scheduler.context();
}

int Engine::threads() const {
  return impl_->scheduler.threads();
}

}  // namespace minke
