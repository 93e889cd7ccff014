#include "kernels_bench.h"

#include <cstdint>
#include <random>
#include <string>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "math/tensor/tensor.h"

// Times every kernel at every instruction-set level that the machine has, scalar included, on one
// thread:
//   kernels_bench --benchmark_filter='decode/Q4_K'
// Names are kernel/what/level. bytes_per_second counts stored weight bytes for decode (a product of
// weights that do not fit the second-level cache with one activation row, or with as many as the
// name tells) and unpack; and items_per_second counts multiply-adds for the products, values for
// the rest.

namespace minke {
namespace {

constexpr int kWeightRows = 4;  // that a call of product_few or dot_f32 takes

Buffer<uint8_t> random_bytes(int64_t count) {
  std::mt19937 rng(1);
  Buffer<uint8_t> bytes(count);
  // Halves with all exponent bits set would make weights NaN or infinite, and MXFP4 exponents near
  // zero subnormal, which are multiplied slowly.
  for (auto& b : bytes) b = static_cast<uint8_t>(rng() & 0xbb) | 0x10;
  return bytes;
}

// Scratch for unpacked rows.
struct Unpacked {
  explicit Unpacked(int64_t columns, int64_t rows = kWeightRows)
      : padded(padded_columns(columns)),
        q(rows * padded),
        scale(rows * padded / kGroup),
        offset(rows * padded / kGroup) {}
  UnpackedRow row(int64_t r) {
    const int64_t g = r * padded / kGroup;
    return {q.data() + r * padded, scale.data() + g, offset.data() + g};
  }
  int64_t padded;
  Buffer<int8_t> q;
  Buffer<float> scale, offset;
};

struct Activations {
  Activations(const Kernels& k, int64_t columns, int64_t m_count)
      : padded(padded_columns(columns)),
        q(m_count * padded),
        scale(m_count * padded / kGroup),
        sum(m_count * padded / kGroup),
        bias(m_count * padded / kGroup) {
    auto x = random_floats(columns);
    for (int64_t m = 0; m < m_count; ++m) {
      const int64_t g = m * padded / kGroup;
      k.quantize_i8(x.data(), columns, q.data() + m * padded, scale.data() + g, sum.data() + g,
                    bias.data() + m * padded / kGroup);
    }
  }
  QuantizedRows rows() { return {q.data(), scale.data(), sum.data(), bias.data(), padded}; }
  int64_t padded;
  Buffer<int8_t> q;
  Buffer<float> scale, sum;
  Buffer<int32_t> bias;
};

// A matrix of 8 MiB of stored weights times m_count activation rows, few enough for product_few.
void bench_decode(benchmark::State& state, const Kernels& k, DType type, int64_t m_count) {
  const int t = static_cast<int>(type);
  const int64_t row = row_bytes(type, kColumns);
  const int64_t rows = (int64_t{8} << 20) / row / kWeightRows * kWeightRows;
  auto weights = random_bytes(rows * row);
  Activations x(k, kColumns, m_count);
  Unpacked w(kColumns);
  Buffer<float> out(m_count * rows);
  for (auto _ : state) {
    for (int64_t r = 0; r < rows; r += kWeightRows) {
      const uint8_t* first = weights.data() + r * row;
      if (k.product_few[t] != nullptr) {
        k.product_few[t](first, row, kWeightRows, kColumns, x.rows(), m_count, out.data() + r,
                         rows);
        continue;
      }
      for (int64_t i = 0; i < kWeightRows; ++i) {
        k.unpack_i8[t](first + i * row, kColumns, w.row(i));
      }
      k.dot_i8(w.row(0), kWeightRows, x.rows(), m_count, out.data() + r, rows);
    }
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * rows * row);
  state.SetItemsProcessed(state.iterations() * rows * m_count * kColumns);
}

// 64 rows of stored weights times m_count activation rows.
void bench_prefill(benchmark::State& state, const Kernels& k, DType type, int64_t m_count) {
  constexpr int kRows = 64;
  const int t = static_cast<int>(type);
  const int64_t row = row_bytes(type, kColumns);
  const int64_t blocks = activation_blocks(kColumns);
  auto weights = random_bytes(kRows * row);
  auto values = random_floats(kColumns);
  Buffer<ActivationBlock> x(m_count * blocks);
  for (int64_t m = 0; m < m_count; ++m) {
    k.quantize_blocks(values.data(), kColumns, x.data() + m * blocks);
  }
  Buffer<float> out(m_count * kRows);
  for (auto _ : state) {
    k.product_many[t](weights.data(), row, kRows, kColumns, x.data(), blocks, m_count, out.data(),
                      kRows);
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * kRows * m_count * kColumns);
}

// The same for float weights: to float32, then dot_f32.
void bench_decode_float(benchmark::State& state, const Kernels& k, DType type) {
  const int t = static_cast<int>(type);
  const int64_t row = row_bytes(type, kColumns);
  const int64_t rows = (int64_t{8} << 20) / row / kWeightRows * kWeightRows;
  auto weights = random_bytes(rows * row);
  auto x = random_floats(kColumns);
  Buffer<float> w(kWeightRows * kColumns), out(rows);
  for (auto _ : state) {
    for (int64_t r = 0; r < rows; r += kWeightRows) {
      for (int64_t i = 0; i < kWeightRows; ++i) {
        k.unpack_f32[t](weights.data() + (r + i) * row, kColumns, w.data() + i * kColumns);
      }
      k.dot_f32(w.data(), kColumns, kWeightRows, x.data(), kColumns, 1, kColumns, out.data() + r,
                kWeightRows);
    }
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * rows * row);
  state.SetItemsProcessed(state.iterations() * rows * kColumns);
}

// Rows of 576 values (SmolLM2-135M) and 1408 (DeepSeek-V2-Lite) end within a run of 256.
void bench_unpack_i8(benchmark::State& state, const Kernels& k, DType type, int64_t columns) {
  auto row = random_bytes(row_bytes(type, columns));
  Unpacked w(columns);
  for (auto _ : state) {
    k.unpack_i8[static_cast<int>(type)](row.data(), columns, w.row(0));
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * row_bytes(type, columns));
  state.SetItemsProcessed(state.iterations() * columns);
}

void bench_unpack_f32(benchmark::State& state, const Kernels& k, DType type) {
  auto row = random_bytes(row_bytes(type, kColumns));
  Buffer<float> out(kColumns);
  for (auto _ : state) {
    k.unpack_f32[static_cast<int>(type)](row.data(), kColumns, out.data());
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * row_bytes(type, kColumns));
  state.SetItemsProcessed(state.iterations() * kColumns);
}

void bench_dot_i8(benchmark::State& state, const Kernels& k, int rows, int64_t m_count) {
  Activations x(k, kColumns, m_count);
  Unpacked w(kColumns, rows);
  Buffer<float> out(m_count * rows);
  for (auto _ : state) {
    k.dot_i8(w.row(0), rows, x.rows(), m_count, out.data(), rows);
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * rows * m_count * kColumns);
}

void bench_quantize_i8(benchmark::State& state, const Kernels& k) {
  Activations x(k, kColumns, 1);
  auto values = random_floats(kColumns);
  for (auto _ : state) {
    k.quantize_i8(values.data(), kColumns, x.q.data(), x.scale.data(), x.sum.data(), x.bias.data());
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * kColumns);
}

// Attention scores: `rows` keys of n values against `m_count` heads.
void bench_dot_f32(benchmark::State& state, const Kernels& k, int64_t rows, int64_t m_count,
                   int64_t n) {
  auto w = random_floats(rows * n);
  auto x = random_floats(m_count * n);
  Buffer<float> out(rows * m_count);
  for (auto _ : state) {
    k.dot_f32(w.data(), n, rows, x.data(), n, m_count, n, out.data(), rows);
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * rows * m_count * n);
}

void bench_accumulate(benchmark::State& state, const Kernels& k, int64_t rows, int64_t m_count,
                      int64_t n) {
  auto v = random_floats(rows * n);
  auto p = random_floats(rows * m_count);
  Buffer<float> out(n * m_count);
  for (auto _ : state) {
    k.accumulate_f32(p.data(), rows, m_count, v.data(), n, rows, n, out.data(), n);
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * rows * m_count * n);
}

// The same over bfloat16 rows.
void bench_dot_bf16(benchmark::State& state, const Kernels& k, int64_t rows, int64_t m_count,
                    int64_t n) {
  auto w = random_halves(rows * n);
  auto x = random_halves(m_count * n);
  Buffer<float> out(rows * m_count);
  for (auto _ : state) {
    k.dot_bf16(w.data(), n, rows, x.data(), n, m_count, n, out.data(), rows);
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * rows * m_count * n);
}

void bench_accumulate_bf16(benchmark::State& state, const Kernels& k, int64_t rows, int64_t m_count,
                           int64_t n) {
  auto v = random_halves(rows * n);
  auto p = random_halves(rows * m_count);
  Buffer<float> out(n * m_count);
  for (auto _ : state) {
    k.accumulate_bf16(p.data(), rows, m_count, v.data(), n, rows, n, out.data(), n);
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * rows * m_count * n);
}

void add_formats(const Kernels& k) {
  using State = benchmark::State;
  for (int t = 0; t < kDTypeCount; ++t) {
    const DType type = static_cast<DType>(t);
    const auto name = dtype_name(type);
    if (is_quantized(type)) {
      for (const int64_t m : {1, 2, 4, 8}) {
        add(m == 1 ? fmt::format("decode/{}", name) : fmt::format("decode/{}:{}", name, m), k,
            [type, m](State& s, const Kernels& kernels) { bench_decode(s, kernels, type, m); });
      }
      for (const int64_t m : {8, 48, 192, 512}) {
        if (k.product_many[t] == nullptr) continue;
        add(fmt::format("prefill/{}:{}", name, m), k,
            [type, m](State& s, const Kernels& kernels) { bench_prefill(s, kernels, type, m); });
      }
      for (const int64_t n : {576, 1408, 2048}) {
        if (n % dtype_info(type).block_elements != 0) continue;
        add(fmt::format("unpack_i8/{}:{}", name, n), k,
            [type, n](State& s, const Kernels& kernels) { bench_unpack_i8(s, kernels, type, n); });
      }
    } else {
      add(fmt::format("decode/{}", name), k,
          [type](State& s, const Kernels& kernels) { bench_decode_float(s, kernels, type); });
    }
    add(fmt::format("unpack_f32/{}", name), k,
        [type](State& s, const Kernels& kernels) { bench_unpack_f32(s, kernels, type); });
  }
}

void add_products(const Kernels& k) {
  using State = benchmark::State;
  add("quantize_i8", k, bench_quantize_i8);
  for (const int rows : {4, 16}) {
    for (const int64_t m : {1, 2, 4, 8, 64, 512}) {
      add(fmt::format("dot_i8/{}x{}", rows, m), k,
          [rows, m](State& s, const Kernels& kernels) { bench_dot_i8(s, kernels, rows, m); });
    }
  }
  struct Attention {
    int64_t rows, m, n;
  };
  for (const auto& [rows, m, n] : {Attention{512, 1, 64},
                                   {512, 3, 64},
                                   {512, 16, 192},
                                   {512, 16, 576},
                                   {4, 1, 2048},
                                   {4, 256, 2048}}) {
    add(fmt::format("dot_f32/{}x{}x{}", rows, m, n), k,
        [=](State& s, const Kernels& kernels) { bench_dot_f32(s, kernels, rows, m, n); });
    if (k.dot_bf16 == nullptr) continue;
    add(fmt::format("dot_bf16/{}x{}x{}", rows, m, n), k,
        [=](State& s, const Kernels& kernels) { bench_dot_bf16(s, kernels, rows, m, n); });
  }
  for (const auto& [rows, m, n] :
       {Attention{512, 1, 64}, {512, 3, 64}, {512, 16, 128}, {512, 16, 512}}) {
    add(fmt::format("accumulate_f32/{}x{}x{}", rows, m, n), k,
        [=](State& s, const Kernels& kernels) { bench_accumulate(s, kernels, rows, m, n); });
    if (k.accumulate_bf16 == nullptr) continue;
    add(fmt::format("accumulate_bf16/{}x{}x{}", rows, m, n), k,
        [=](State& s, const Kernels& kernels) { bench_accumulate_bf16(s, kernels, rows, m, n); });
  }
}

void add_all() {
  for (const Isa isa : kIsaLevels) {
    if (!machine_has(isa)) continue;
    const Kernels k = select_kernels(isa);
    add_formats(k);
    add_products(k);
    add_panels(k);
    add_latents(k);
    add_elementwise(k);
    add_backward(k);
  }
}

}  // namespace
}  // namespace minke

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  minke::add_all();
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
