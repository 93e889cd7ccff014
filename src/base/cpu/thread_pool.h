#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

namespace minke {

// A fixed set of workers that run one parallel loop at a time. The caller is worker 0 and works
// along.
//
// Which worker runs which task is not fixed, so a task must write only what is its own; then
// results do not depend on the number of threads. Between loops workers spin briefly, then sleep,
// so that a chat waiting for its user costs nothing.
class ThreadPool {
 public:
  // Throws Error if the system does not give that many threads.
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int size() const { return static_cast<int>(threads_.size()) + 1; }

  // Calls body(task, worker) for each task in [0, tasks), worker in [0, size()), and returns when
  // all are done. `body` must not throw and must not call parallel_for. One caller at a time.
  template <typename Body>
  void parallel_for(int64_t tasks, const Body& body) {
    if (tasks <= 0) return;
    if (tasks == 1 || threads_.empty()) {
      for (int64_t task = 0; task < tasks; ++task) body(task, 0);
      return;
    }
    run(
        tasks,
        [](const void* b, int64_t task, int worker) {
          (*static_cast<const Body*>(b))(task, worker);
        },
        &body);
  }

 private:
  using Call = void (*)(const void* body, int64_t task, int worker);
  // One parallel loop.
  struct Loop {
    Call call = nullptr;
    const void* body = nullptr;
    int64_t tasks = 0;
    std::atomic<int64_t> next{0};
  };

  // The gate of the loop: its number, whether it is closed, and how many workers other than the
  // caller are inside, in one word. A worker that comes when the gate is closed has missed the
  // loop; the caller waits only for those inside, so that on a crowded machine a worker that does
  // not get a processor delays nobody.
  static constexpr uint64_t kInside = 0xffff;
  static constexpr uint64_t kClosed = 0x10000;
  static constexpr uint64_t kLoop = 0x20000;  // the lowest bit of the loop's number

  void run(int64_t tasks, Call call, const void* body);
  void work(int worker);
  bool enter(uint64_t& seen);
  void join();
  static void drain(Loop& loop, int worker);

  Loop loop_;
  std::atomic<uint64_t> gate_{kClosed};
  std::atomic<bool> stop_{false};
  std::atomic<int> sleepers_{0};
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<std::thread> threads_;
};

}  // namespace minke
