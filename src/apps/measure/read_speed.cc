#include "apps/measure/read_speed.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>

#include "apps/terminal/stop_signal.h"
#include "base/core/check.h"
#include "base/cpu/memory.h"
#include "base/cpu/thread_pool.h"

namespace minke {
namespace {

constexpr int64_t kTaskBytes = int64_t{4} << 20;
constexpr int64_t kTaskWords = kTaskBytes / static_cast<int64_t>(sizeof(uint64_t));

uint64_t sum(const uint64_t* words, int64_t count) {
  // Several sums at a time, so that reads do not wait for additions.
  constexpr int kLanes = 16;
  uint64_t lanes[kLanes] = {};
  for (int64_t i = 0; i < count; i += kLanes) {
    for (int lane = 0; lane < kLanes; ++lane) lanes[lane] += words[i + lane];
  }
  uint64_t total = 0;
  for (const uint64_t lane : lanes) total += lane;
  return total;
}

}  // namespace

double measure_read_gb_per_second(int threads, int64_t bytes, int passes) {
  CHECK(bytes >= kTaskBytes && bytes % kTaskBytes == 0);
  ThreadPool pool(threads);
  const PageBuffer buffer(bytes, "measuring memory");
  auto* words = reinterpret_cast<uint64_t*>(buffer.data());
  const int64_t tasks = bytes / kTaskBytes;
  // Written first: pages that were never written all share one page of zeros.
  pool.parallel_for(tasks, [&](int64_t task, int) {
    std::fill_n(words + task * kTaskWords, kTaskWords, static_cast<uint64_t>(task));
  });
  double best = 0;
  std::atomic<uint64_t> total = 0;  // keeps the sums from being left out
  for (int pass = 0; pass < passes; ++pass) {
    throw_if_stopped();
    const auto start = std::chrono::steady_clock::now();
    pool.parallel_for(
        tasks, [&](int64_t task, int) { total += sum(words + task * kTaskWords, kTaskWords); });
    const std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
    best = std::max(best, static_cast<double>(bytes) / time.count() / 1e9);
  }
  return best;
}

}  // namespace minke
