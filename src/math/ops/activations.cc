#include <cstring>
#include <numeric>
#include <vector>

#include "math/ops/matmul.h"
#include "math/ops/tape.h"

namespace minke {

Activations prepare(Context& ctx, const Tensor& x, std::span<const Tensor* const> weights) {
  Activations a;
  a.rows = x.rows();
  a.columns = x.columns();
  a.source = x.f32();
  bool quantize = false, round = false;
  for (const Tensor* w : weights) {
    if (is_quantized(w->type)) {
      quantize = true;
    } else if (w->type == DType::kBF16 && ctx.kernels().dot_bf16 != nullptr) {
      round = true;
    } else {
      a.x = x.f32();
    }
  }
  if (round) {
    auto* to = ctx.arena().allocate<uint16_t>(a.rows * a.columns);
    for_row_blocks(ctx, a.rows, [&](int64_t first, int64_t count) {
      ctx.kernels().round_bf16(x.f32() + first * a.columns, count * a.columns,
                               to + first * a.columns);
    });
    a.halves = to;
  }
  if (!quantize) return a;
  if (ctx.phase() == Phase::kPrefill) {
    const int64_t blocks = activation_blocks(a.columns);
    auto* to = ctx.arena().allocate<ActivationBlock>(a.rows * blocks);
    ctx.pool().parallel_for(a.rows, [&](int64_t m, int) {
      ctx.kernels().quantize_blocks(x.f32() + m * a.columns, a.columns, to + m * blocks);
    });
    a.blocks = to;
    return a;
  }
  const int64_t stride = padded_columns(a.columns);
  auto& q = a.quantized;
  q.stride = stride;
  q.q = ctx.arena().allocate<int8_t>(a.rows * stride);
  q.scale = ctx.arena().allocate<float>(a.rows * stride / kGroup);
  q.sum = ctx.arena().allocate<float>(a.rows * stride / kGroup);
  q.bias = ctx.arena().allocate<int32_t>(a.rows * stride / kGroup);
  ctx.pool().parallel_for(a.rows, [&](int64_t m, int) {
    ctx.kernels().quantize_i8(x.f32() + m * a.columns, a.columns, q.q + m * stride,
                              q.scale + m * stride / kGroup, q.sum + m * stride / kGroup,
                              q.bias + m * stride / kGroup);
  });
  return a;
}

namespace {

// to[indices[m]] += from[m] for all m in order: to [rows, columns].
void add_gathered(Context& ctx, const float* from, std::span<const int32_t> indices, int64_t rows,
                  int64_t columns, float* to) {
  // The m of row r are order[start[r]] to order[start[r + 1] - 1].
  std::vector<int64_t> start(static_cast<size_t>(rows) + 1), order(indices.size());
  for (const int32_t r : indices) ++start[static_cast<size_t>(r) + 1];
  std::partial_sum(start.begin(), start.end(), start.begin());
  std::vector<int64_t> next(start.begin(), start.end() - 1);
  for (size_t m = 0; m < indices.size(); ++m) {
    order[static_cast<size_t>(next[static_cast<size_t>(indices[m])]++)] = static_cast<int64_t>(m);
  }
  for_row_blocks(ctx, rows, [&](int64_t first, int64_t count) {
    for (int64_t r = first; r < first + count; ++r) {
      for (int64_t i = start[static_cast<size_t>(r)]; i < start[static_cast<size_t>(r) + 1]; ++i) {
        ctx.kernels().add_scaled(from + order[static_cast<size_t>(i)] * columns, columns, 1.0f,
                                 to + r * columns);
      }
    }
  });
}

}  // namespace

Activations gather_rows(Context& ctx, const Activations& a, std::span<const int32_t> indices) {
  Activations g;
  g.rows = static_cast<int64_t>(indices.size());
  g.columns = a.columns;
  const auto copy = [&]<typename T>(const T* from, int64_t width) {
    T* to = ctx.arena().allocate<T>(g.rows * width);
    for_row_blocks(ctx, g.rows, [&](int64_t first, int64_t count) {
      for (int64_t m = first; m < first + count; ++m) {
        const int64_t row = indices[static_cast<size_t>(m)];
        std::memcpy(to + m * width, from + row * width, static_cast<size_t>(width) * sizeof(T));
      }
    });
    return to;
  };
  if (a.x != nullptr) g.x = copy(a.x, a.columns);
  if (a.halves != nullptr) g.halves = copy(a.halves, a.columns);
  if (a.blocks != nullptr) g.blocks = copy(a.blocks, activation_blocks(a.columns));
  if (a.quantized.q != nullptr) {
    const int64_t stride = a.quantized.stride;
    g.quantized.stride = stride;
    g.quantized.q = copy(a.quantized.q, stride);
    g.quantized.scale = copy(a.quantized.scale, stride / kGroup);
    g.quantized.sum = copy(a.quantized.sum, stride / kGroup);
    g.quantized.bias = copy(a.quantized.bias, stride / kGroup);
  }
  if (Tape* tape = ctx.tape()) {
    // Only its gradient is ever looked at.
    g.source = ctx.activation({g.rows, a.columns}).f32();
    tape->record([tape, from = a.source, to = g.source, rows = a.rows, columns = a.columns,
                  list = std::vector(indices.begin(), indices.end())](Context& c) {
      add_gathered(c, tape->gradient(to), list, rows, columns, tape->gradient(from));
    });
  }
  return g;
}

}  // namespace minke
