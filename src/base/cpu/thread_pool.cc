#include "base/cpu/thread_pool.h"

#include <system_error>

#include <immintrin.h>

#include "base/core/check.h"
#include "base/core/error.h"

namespace minke {
namespace {

// Polls before a worker sleeps: about 50 microseconds, longer than the gap between two loops of one
// forward pass.
constexpr int kSpins = 2000;

}  // namespace

ThreadPool::ThreadPool(int threads) {
  CHECK(threads >= 1 && static_cast<uint64_t>(threads) <= kInside);
  threads_.reserve(static_cast<size_t>(threads) - 1);
  try {
    for (int worker = 1; worker < threads; ++worker) {
      threads_.emplace_back([this, worker] { work(worker); });
    }
  } catch (const std::system_error& e) {
    const int started = size();
    join();
    fail("threads", "expected {}, the system gave {}: {}", threads, started, e.what());
  }
}

ThreadPool::~ThreadPool() {
  join();
}

void ThreadPool::join() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  for (auto& thread : threads_) thread.join();
}

void ThreadPool::drain(Loop& loop, int worker) {
  for (;;) {
    const int64_t task = loop.next.fetch_add(1, std::memory_order_relaxed);
    if (task >= loop.tasks) return;
    loop.call(loop.body, task, worker);
  }
}

void ThreadPool::run(int64_t tasks, Call call, const void* body) {
  const uint64_t gate_before = gate_.load(std::memory_order_relaxed);
  CHECK((gate_before & (kClosed | kInside)) == kClosed);  // one caller at a time
  loop_.call = call;
  loop_.body = body;
  loop_.tasks = tasks;
  loop_.next.store(0, std::memory_order_relaxed);
  gate_.store((gate_before & ~kClosed) + kLoop);
  // The gate is opened before sleepers are counted, and a worker counts itself before it looks at
  // the gate, so one of the two sees the other.
  if (sleepers_.load() > 0) {
    { const std::lock_guard lock(mutex_); }
    wake_.notify_all();
  }
  drain(loop_, 0);
  uint64_t gate = gate_.fetch_or(kClosed, std::memory_order_acq_rel);
  for (int spins = 0; (gate & kInside) != 0; gate = gate_.load(std::memory_order_acquire)) {
    // On a crowded machine the worker that is inside may need this very processor.
    if (++spins > kSpins) {
      std::this_thread::yield();
    } else {
      _mm_pause();
    }
  }
}

// Enters the loop at the gate unless it is closed. Either way `seen` is its number then.
bool ThreadPool::enter(uint64_t& seen) {
  uint64_t gate = gate_.load(std::memory_order_relaxed);
  do {
    seen = gate & ~(kClosed | kInside);
    if ((gate & kClosed) != 0) return false;
  } while (!gate_.compare_exchange_weak(gate, gate + 1, std::memory_order_acq_rel));
  return true;
}

void ThreadPool::work(int worker) {
  uint64_t seen = 0;
  const auto is_new = [&] { return (gate_.load() & ~(kClosed | kInside)) != seen; };
  for (;;) {
    int spins = 0;
    while (!is_new() && !stop_.load(std::memory_order_relaxed)) {
      if (++spins < kSpins) {
        _mm_pause();
        continue;
      }
      std::unique_lock lock(mutex_);
      sleepers_.fetch_add(1);
      wake_.wait(lock, [&] { return is_new() || stop_; });
      sleepers_.fetch_sub(1);
    }
    if (stop_) return;
    if (!enter(seen)) continue;
    drain(loop_, worker);
    gate_.fetch_sub(1, std::memory_order_release);
  }
}

}  // namespace minke
