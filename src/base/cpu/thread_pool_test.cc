#include "base/cpu/thread_pool.h"

#include <atomic>
#include <chrono>
#include <numeric>

#include <gtest/gtest.h>

#include "base/cpu/topology.h"

namespace minke {
namespace {

TEST(ThreadPool, RunsEachTaskOnceForAnyNumberOfThreads) {
  for (const int threads : {1, 2, 5}) {
    ThreadPool pool(threads);
    EXPECT_EQ(pool.size(), threads);
    for (const int64_t tasks : {0, 1, 2, 7, 1000}) {
      std::vector<int> counts(static_cast<size_t>(tasks), 0);
      pool.parallel_for(tasks, [&](int64_t task, int worker) {
        EXPECT_GE(worker, 0);
        EXPECT_LT(worker, threads);
        ++counts[static_cast<size_t>(task)];
      });
      for (const int count : counts) EXPECT_EQ(count, 1);
    }
  }
}

TEST(ThreadPool, ManyShortLoopsWithPausesLoseNoWakeUp) {
  ThreadPool pool(3);
  int64_t total = 0;
  for (int i = 0; i < 3000; ++i) {
    std::vector<int64_t> partial(3, 0);
    pool.parallel_for(
        64, [&](int64_t task, int worker) { partial[static_cast<size_t>(worker)] += task; });
    total += std::accumulate(partial.begin(), partial.end(), int64_t{0});
    if (i % 100 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  EXPECT_EQ(total, 3000 * 2016);
}

// Most workers find the gate closed: the caller is done before they have a processor.
TEST(ThreadPool, ManyMoreThreadsThanCoresDoTheSame) {
  ThreadPool pool(40);
  std::atomic<int64_t> total = 0;
  for (int i = 0; i < 500; ++i) {
    pool.parallel_for(3, [&](int64_t task, int) { total += task; });
  }
  EXPECT_EQ(total, 1500);
}

TEST(Topology, FindsAtLeastOneCore) {
  EXPECT_GE(usable_cores(), 1);
}

}  // namespace
}  // namespace minke
