#include <algorithm>
#include <cstdint>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "kernels_bench.h"

// Kernels of bfloat16 panels, and of single rows of floats.

namespace minke {
namespace {

// Prompts through bfloat16 weights: a panel of kPanelWidth weight rows times m_count activation
// rows, tile after tile, as math/ops/panels.cc multiplies a run of n values. `by_column`: the
// activation rows are packed columns, as in the gradients of weights.
void bench_multiply_bf16(benchmark::State& state, const Kernels& k, int64_t m_count, int64_t n,
                         bool by_column) {
  const int64_t width = (m_count + kPanelWidth - 1) / kPanelWidth * kPanelWidth;
  auto x = random_halves(width * n);
  auto w = random_halves(kPanelWidth * n);
  Buffer<uint16_t> panel(panel_values(kPanelWidth, n));
  k.pack_rows_bf16(w.data(), n, kPanelWidth, n, panel.data());
  Buffer<float> out(m_count * kPanelWidth);
  // Levels that want rows turn columns round once for many panels.
  const bool columns = by_column && k.transpose_bf16 == nullptr;
  const int64_t row_stride = columns ? 2 : n, pair_stride = columns ? 2 * width : 2;
  for (auto _ : state) {
    for (int64_t m = 0; m < m_count; m += k.left_rows) {
      const auto rows = static_cast<int>(std::min<int64_t>(k.left_rows, m_count - m));
      k.multiply_bf16(x.data() + m * row_stride, row_stride, pair_stride, panel.data(), n / 2, rows,
                      kPanelWidth, true, out.data() + m * kPanelWidth, kPanelWidth);
    }
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * kPanelWidth * m_count * n);
}

// Packing kPanelWidth rows of n values.
void bench_pack_bf16(benchmark::State& state, const Kernels& k, int64_t n, bool by_column) {
  auto w = random_halves(kPanelWidth * n);
  Buffer<uint16_t> panel(panel_values(kPanelWidth, n));
  for (auto _ : state) {
    if (by_column) {
      k.pack_columns_bf16(w.data(), kPanelWidth, kPanelWidth, n, kPanelWidth, panel.data());
    } else {
      k.pack_rows_bf16(w.data(), n, kPanelWidth, n, panel.data());
    }
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * kPanelWidth * n * 2);
  state.SetItemsProcessed(state.iterations() * kPanelWidth * n);
}

// Kernels over kColumns values; `call` gets two inputs and an output.
template <typename Call>
void bench_values(benchmark::State& state, const Call& call) {
  auto a = random_floats(kColumns);
  auto b = random_floats(kColumns);
  Buffer<float> out(kColumns);
  for (auto _ : state) {
    call(a.data(), b.data(), out.data());
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * kColumns);
}

}  // namespace

void add_panels(const Kernels& k) {
  using State = benchmark::State;
  if (k.multiply_bf16 == nullptr) return;
  for (const int64_t m : {1, 4, 12, 96}) {
    for (const int64_t n : {64, 512}) {
      add(fmt::format("multiply_bf16/{}x{}", m, n), k,
          [=](State& s, const Kernels& kernels) { bench_multiply_bf16(s, kernels, m, n, false); });
    }
  }
  add("multiply_bf16/columns:96x512", k,
      [](State& s, const Kernels& kernels) { bench_multiply_bf16(s, kernels, 96, 512, true); });
  add("pack_rows_bf16/512", k,
      [](State& s, const Kernels& kernels) { bench_pack_bf16(s, kernels, 512, false); });
  add("pack_columns_bf16/512", k,
      [](State& s, const Kernels& kernels) { bench_pack_bf16(s, kernels, 512, true); });
}

void add_elementwise(const Kernels& k) {
  using State = benchmark::State;
  add("round_bf16", k, [](State& s, const Kernels& kernels) {
    bench_values(s, [&](const float* a, const float*, float* out) {
      kernels.round_bf16(a, kColumns, reinterpret_cast<uint16_t*>(out));
    });
  });
  add("rms_norm", k, [](State& s, const Kernels& kernels) {
    bench_values(s, [&](const float* a, const float* b, float* out) {
      kernels.rms_norm(a, b, kColumns, 1e-6f, out);
    });
  });
  add("silu_mul", k, [](State& s, const Kernels& kernels) {
    bench_values(s, [&](const float* a, const float* b, float* out) {
      kernels.silu_mul(a, b, kColumns, out);
    });
  });
  add("exp_sum", k, [](State& s, const Kernels& kernels) {
    bench_values(s, [&](const float*, const float*, float* out) {
      benchmark::DoNotOptimize(kernels.exp_sum(out, kColumns, 1.0f));
    });
  });
  add("max", k, [](State& s, const Kernels& kernels) {
    bench_values(s, [&](const float* a, const float*, float*) {
      benchmark::DoNotOptimize(kernels.max(a, kColumns));
    });
  });
  add("scale", k, [](State& s, const Kernels& kernels) {
    bench_values(s,
                 [&](const float*, const float*, float* out) { kernels.scale(out, kColumns, 1); });
  });
}

// Gradients of rms_norm's operands grow with every iteration, which changes no time: they stay far
// from infinity.
void add_backward(const Kernels& k) {
  using State = benchmark::State;
  add("rms_norm_backward", k, [](State& s, const Kernels& kernels) {
    auto w = random_floats(kColumns);
    Buffer<float> w_grad(kColumns);
    bench_values(s, [&](const float* a, const float* b, float* out) {
      kernels.rms_norm_backward(a, w.data(), b, kColumns, 1e-6f, out, w_grad.data());
    });
  });
  add("silu_mul_backward", k, [](State& s, const Kernels& kernels) {
    auto g = random_floats(kColumns);
    Buffer<float> up_grad(kColumns);
    bench_values(s, [&](const float* a, const float* b, float* out) {
      kernels.silu_mul_backward(a, b, g.data(), kColumns, out, up_grad.data());
    });
  });
  add("add_scaled", k, [](State& s, const Kernels& kernels) {
    bench_values(s, [&](const float* a, const float*, float* out) {
      kernels.add_scaled(a, kColumns, 1e-6f, out);
    });
  });
}

}  // namespace minke
