#include <cmath>
#include <cstdint>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "kernels_bench.h"

// Attention over a chunk of latents in 8 bits, of the shape of DeepSeek-V2 and V3.

namespace minke {
namespace {

constexpr int64_t kValues = 576, kLatent = 512;
constexpr int64_t kRowBytes = kValues / 32 * 34;

struct Chunk {
  Chunk() : bytes(kMostLatentRows * kRowBytes) {
    constexpr uint16_t kScale = 0x211f;  // about 0.01 in half precision
    std::mt19937 rng(3);
    for (int64_t at = 0; at < kMostLatentRows * kRowBytes; at += 34) {
      __builtin_memcpy(bytes.data() + at, &kScale, sizeof kScale);
      for (int64_t i = 2; i < 34; ++i) {
        bytes.data()[at + i] = static_cast<uint8_t>(static_cast<int>(rng() % 255) - 127);
      }
    }
  }
  LatentRows rows() { return {bytes.data(), kRowBytes, kMostLatentRows, kValues, kLatent}; }

  Buffer<uint8_t> bytes;
};

// `m` rows of queries, a multiple of kQueryTile.
struct Queries {
  explicit Queries(int64_t m)
      : rows(m),
        x(random_floats(m * kValues)),
        q(m * kValues),
        scale(m * query_blocks(kValues, kLatent)),
        bias(m * query_blocks(kValues, kLatent)) {}
  QuantizedQueries quantized() { return {q.data(), scale.data(), bias.data()}; }
  void quantize(const Kernels& k) {
    k.quantize_queries(x.data(), kValues, rows, kValues, kLatent, quantized());
  }

  int64_t rows;
  Buffer<float> x;
  Buffer<int8_t> q;
  Buffer<float> scale;
  Buffer<int32_t> bias;
};

void bench_quantize_queries(benchmark::State& state, const Kernels& k, int64_t m) {
  Queries queries(m);
  for (auto _ : state) {
    queries.quantize(k);
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * m * kValues);
}

void bench_dot_latents(benchmark::State& state, const Kernels& k, int64_t m) {
  Chunk chunk;
  Queries queries(m);
  queries.quantize(k);
  Buffer<float> out(m * kMostLatentRows);
  for (auto _ : state) {
    k.dot_latents(chunk.rows(), queries.quantized(), m, out.data(), kMostLatentRows);
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * kMostLatentRows * m * kValues);
}

// Weights are quantized, then multiplied; `accumulate` times the second alone.
void bench_weights(benchmark::State& state, const Kernels& k, int64_t m, bool accumulate) {
  Chunk chunk;
  auto p = random_floats(m * kMostLatentRows);
  for (float& x : p) x = std::exp(x);
  Buffer<uint8_t> q(m * weight_bytes(kMostLatentRows));
  Buffer<float> scale(m);
  const QuantizedWeights weights = {q.data(), scale.data()};
  k.quantize_weights(p.data(), kMostLatentRows, m, chunk.rows(), weights);
  Buffer<float> out(m * kLatent);
  for (auto _ : state) {
    if (accumulate) {
      k.accumulate_latents(weights, m, chunk.rows(), out.data(), kLatent);
    } else {
      k.quantize_weights(p.data(), kMostLatentRows, m, chunk.rows(), weights);
    }
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * m * kMostLatentRows * (accumulate ? kLatent : 1));
}

}  // namespace

void add_latents(const Kernels& k) {
  using State = benchmark::State;
  if (k.dot_latents == nullptr) return;
  for (const int64_t m : {16, 128}) {
    add(fmt::format("quantize_queries/{}", m), k,
        [m](State& s, const Kernels& kernels) { bench_quantize_queries(s, kernels, m); });
    add(fmt::format("dot_latents/{}", m), k,
        [m](State& s, const Kernels& kernels) { bench_dot_latents(s, kernels, m); });
    add(fmt::format("quantize_weights/{}", m), k,
        [m](State& s, const Kernels& kernels) { bench_weights(s, kernels, m, false); });
    add(fmt::format("accumulate_latents/{}", m), k,
        [m](State& s, const Kernels& kernels) { bench_weights(s, kernels, m, true); });
  }
}

}  // namespace minke
