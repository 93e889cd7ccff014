#include "apps/measure/peaks.h"

#include <algorithm>
#include <chrono>
#include <type_traits>

#include "apps/terminal/stop_signal.h"
#include "base/core/rng.h"
#include "base/cpu/thread_pool.h"

namespace minke {
namespace {

// Short passes, so that on a busy machine some of them are not disturbed.
constexpr double kTaskSeconds = 2e-4;
constexpr int kTasksOfThread = 8;
constexpr int kPasses = 150;

// Operands of a chain, and room for its sums.
template <typename A, typename B, typename Sum>
struct Operands {
  alignas(64) A a[kChainOperandBytes / sizeof(A)];
  alignas(64) B b[kChainOperandBytes / sizeof(B)];

  // Values that are not all alike: how fast a processor may run can depend on them.
  Operands() {
    Rng rng(0);
    for (A& value : a) value = draw<A>(rng);
    for (B& value : b) value = draw<B>(rng);
  }

  double run(const Chain<A, B, Sum>& chain, int64_t steps) const {
    Sum sums[kMostChainLanes];
    const auto start = std::chrono::steady_clock::now();
    chain.run(a, b, steps, sums);
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }

 private:
  template <typename T>
  static T draw(Rng& rng) {
    if constexpr (std::is_floating_point_v<T>) {
      return static_cast<T>(rng.below(256)) / 256;
    } else if constexpr (sizeof(T) == 2) {
      constexpr uint16_t kHalf = 0x3f00;  // bfloat16; below 1 with any mantissa
      return static_cast<T>(kHalf | rng.below(128));
    } else {
      return static_cast<T>(rng.below(128));
    }
  }
};

// Operations of a second.
template <typename A, typename B, typename Sum>
double measure(ThreadPool& pool, const Chain<A, B, Sum>& chain) {
  const Operands<A, B, Sum> operands;
  int64_t steps = 1024;
  while (operands.run(chain, steps) < kTaskSeconds) steps *= 2;
  const int64_t tasks = int64_t{kTasksOfThread} * pool.size();
  double best = 0;
  for (int pass = 0; pass < kPasses; ++pass) {
    throw_if_stopped();
    const auto start = std::chrono::steady_clock::now();
    pool.parallel_for(tasks, [&](int64_t, int) { operands.run(chain, steps); });
    const std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
    best = std::max(best, static_cast<double>(tasks * steps) / time.count());
  }
  return best * 2 * chain.lanes * chain.depth * chain.chains;
}

template <typename AnyChain>
std::optional<Peak> fastest(ThreadPool& pool, const std::vector<const AnyChain*>& chains) {
  std::optional<Peak> peak;
  for (const AnyChain* chain : chains) {
    const double speed = measure(pool, *chain);
    if (!peak || speed > peak->operations_per_second) peak = Peak{chain->instruction, speed};
  }
  return peak;
}

}  // namespace

ChainsOfLevel chains_of(Isa level) {
  switch (level) {
    case Isa::kScalar:
      return {{&kPmaddwd}, {}, {&kMulps}};
    case Isa::kAvx2:
      return {{&kVpmaddubsw}, {}, {&kVfmaddAvx2}};
    case Isa::kAvxVnni:
      return {{&kVpdpbusdAvx}, {}, {&kVfmaddAvx2}};
    case Isa::kAvx512:
    case Isa::kAvx512Bf16:
    case Isa::kAmx:
      break;
  }
  ChainsOfLevel chains = {{&kVpdpbusd}, {}, {&kVfmaddAvx512}};
  if (machine_isa() >= Isa::kAvx512Bf16) chains.bf16.push_back(&kVdpbf16ps);
  if (machine_isa() >= Isa::kAmx) {
    chains.int8.push_back(&kTdpbusd);
    chains.bf16.push_back(&kTdpbf16ps);
  }
  return chains;
}

Peaks measure_peaks(Isa level, int threads) {
  const ChainsOfLevel chains = chains_of(level);
  ThreadPool pool(threads);
  return {fastest(pool, chains.int8), fastest(pool, chains.bf16), fastest(pool, chains.f32)};
}

}  // namespace minke
