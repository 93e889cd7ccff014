#pragma once

#include <cstdint>
#include <random>
#include <string>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "base/cpu/isa.h"
#include "base/cpu/memory.h"
#include "math/kernels/kernels.h"

namespace minke {

inline constexpr int64_t kColumns = 2048;

// Zeroed memory, aligned as the engine's is.
template <typename T>
class Buffer {
 public:
  explicit Buffer(int64_t count)
      : count_(count), pages_(static_cast<size_t>(count) * sizeof(T), "benchmark") {}
  T* data() { return reinterpret_cast<T*>(pages_.data()); }
  T* begin() { return data(); }
  T* end() { return data() + count_; }

 private:
  int64_t count_;
  PageBuffer pages_;
};

inline Buffer<float> random_floats(int64_t count) {
  std::mt19937 rng(2);
  std::normal_distribution<float> normal;
  Buffer<float> values(count);
  for (auto& v : values) v = normal(rng);
  return values;
}

inline Buffer<uint16_t> random_halves(int64_t count) {
  const Kernels scalar = select_kernels(Isa::kScalar);
  auto values = random_floats(count);
  Buffer<uint16_t> halves(count);
  scalar.round_bf16(values.data(), count, halves.data());
  return halves;
}

// Registers run(state, kernels) as `name` at the level of k.
template <typename Run>
void add(const std::string& name, const Kernels& k, const Run& run) {
  const std::string full = fmt::format("{}/{}", name, isa_name(k.isa));
  benchmark::RegisterBenchmark(full.c_str(), [run, k](benchmark::State& s) { run(s, k); });
}

// Panels of bfloat16 values and latents in 8 bits, at levels that have them; and kernels over
// single rows of floats.
void add_panels(const Kernels& k);
void add_latents(const Kernels& k);
void add_elementwise(const Kernels& k);
void add_backward(const Kernels& k);

}  // namespace minke
