#include "math/ops/matmul.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "base/core/check.h"
#include "math/ops/group_blocks.h"
#include "math/ops/panels.h"
#include "math/ops/tape.h"

namespace minke {
namespace {

// Most activation rows for which stored rows are multiplied as they are when decoding; with more,
// unpacking each row once for all of them is faster.
constexpr int64_t kFewActivations = 8;
// Weight rows unpacked or converted and then multiplied together. With many activation rows, more
// of them share each pass over the activations; with few, the rows should still be in the
// first-level cache when they are multiplied.
constexpr int64_t kMostTileRows = 16;
int64_t tile_rows(int64_t activations) {
  return activations < kFewActivations ? 4 : kMostTileRows;
}
// F8 weights share a scale among this many rows and columns.
constexpr int64_t kScaleBlock = 128;

// Weight rows of one task are a multiple of this: outputs fill whole cache lines of 16 floats.
constexpr int64_t kRowStep = 16;
// Prompts: the rows of a task share each part of the activations while it is in the second-level
// cache.
constexpr int64_t kMostTaskRows = 128;
// Decoding: a task reads a stretch of weights of at least about this size. Workers that take turns
// at shorter ones disturb each other's reading ahead; at 18 KiB two threads read hardly faster than
// one.
constexpr int64_t kStretchBytes = 128 << 10;

// Scratch of one worker for kMostTileRows weight rows in the form that dot_i8 or dot_f32 takes.
struct RowScratch {
  UnpackedRow unpacked{};
  float* floats = nullptr;
};

// Scratch for weights of at most `columns` columns, one for each worker: 8-bit rows where stored
// rows are to be unpacked, floats where they are to be converted.
std::vector<RowScratch> worker_scratch(Context& ctx, int64_t columns, bool unpack, bool floats) {
  std::vector<RowScratch> scratch(static_cast<size_t>(ctx.pool().size()));
  const int64_t padded = padded_columns(columns);
  for (auto& s : scratch) {
    if (unpack) {
      s.unpacked.q = ctx.arena().allocate<int8_t>(kMostTileRows * padded);
      s.unpacked.scale = ctx.arena().allocate<float>(kMostTileRows * padded / kGroup);
      s.unpacked.offset = ctx.arena().allocate<float>(kMostTileRows * padded / kGroup);
    }
    if (floats) s.floats = ctx.arena().allocate<float>(kMostTileRows * columns);
  }
  return scratch;
}

const ActivationBlock* block_rows(const Activations& x, int64_t first) {
  return x.blocks + first * activation_blocks(x.columns);
}

// What product_few computes, for more activation rows than it is meant for.
void unpacked_product(const Kernels& k, const Tensor& w, int64_t row, int64_t count,
                      const QuantizedRows& x, int64_t rows, const RowScratch& scratch, float* out,
                      int64_t out_stride) {
  const int64_t tile = tile_rows(rows);
  for (int64_t t = 0; t < count; t += tile) {
    const int64_t tile_count = std::min(tile, count - t);
    for (int64_t r = 0; r < tile_count; ++r) {
      k.unpack_i8[static_cast<int>(w.type)](
          w.row(row + t + r), w.columns(),
          {scratch.unpacked.q + r * x.stride, scratch.unpacked.scale + r * x.stride / kGroup,
           scratch.unpacked.offset + r * x.stride / kGroup});
    }
    k.dot_i8(scratch.unpacked, static_cast<int>(tile_count), x, rows, out + t, out_stride);
  }
}

void float_product(const Kernels& k, const Tensor& w, int64_t row, int64_t count, const float* x,
                   int64_t rows, const RowScratch& scratch, float* out, int64_t out_stride) {
  const int64_t n = w.columns();
  if (w.type == DType::kF32) {
    const auto* weights = reinterpret_cast<const float*>(w.row(row));
    k.dot_f32(weights, n, count, x, n, rows, n, out, out_stride);
    return;
  }
  const int64_t tile = tile_rows(rows);
  for (int64_t t = 0; t < count; t += tile) {
    const int64_t tile_count = std::min(tile, count - t);
    for (int64_t r = 0; r < tile_count; ++r) {
      decode_weight_row(k, w, row + t + r, scratch.floats + r * n);
    }
    k.dot_f32(scratch.floats, n, tile_count, x, n, rows, n, out + t, out_stride);
  }
}

// out[m * out_stride + r] for `count` weight rows from `row` on and activation rows [first, first +
// rows).
void product(const Kernels& k, const Tensor& w, int64_t row, int64_t count, const Activations& x,
             int64_t first, int64_t rows, const RowScratch& scratch, float* out,
             int64_t out_stride) {
  const auto type = static_cast<int>(w.type);
  const int64_t stride = row_bytes(w.type, x.columns);
  if (x.halves != nullptr && w.type == DType::kBF16) {
    k.dot_bf16(reinterpret_cast<const uint16_t*>(w.row(row)), x.columns, count,
               x.halves + first * x.columns, x.columns, rows, x.columns, out, out_stride);
  } else if (!is_quantized(w.type)) {
    float_product(k, w, row, count, x.x + first * x.columns, rows, scratch, out, out_stride);
  } else if (x.blocks != nullptr) {
    k.product_many[type](w.row(row), stride, static_cast<int>(count), x.columns,
                         block_rows(x, first), activation_blocks(x.columns), rows, out, out_stride);
  } else if (rows <= kFewActivations) {
    k.product_few[type](w.row(row), stride, static_cast<int>(count), x.columns,
                        rows_from(x.quantized, first), rows, out, out_stride);
  } else {
    unpacked_product(k, w, row, count, rows_from(x.quantized, first), rows, scratch, out,
                     out_stride);
  }
}

void check_group(const ProductGroup& g, const Activations& x) {
  CHECK(g.weight->columns() == x.columns);
  CHECK(g.weight_first >= 0 && g.weight_first + g.weight_rows <= g.weight->rows());
  CHECK(g.first >= 0 && g.first + g.rows <= x.rows);
  CHECK(is_quantized(g.weight->type)     ? x.quantized.q != nullptr || x.blocks != nullptr
        : g.weight->type == DType::kBF16 ? x.halves != nullptr || x.x != nullptr
                                         : x.x != nullptr);
}

bool any(std::span<const ProductGroup> groups, bool (*test)(DType)) {
  return std::any_of(groups.begin(), groups.end(),
                     [&](const ProductGroup& g) { return test(g.weight->type); });
}

// Whether unpacked_product takes part.
bool unpacks(std::span<const ProductGroup> groups, const Activations& x) {
  return x.quantized.q != nullptr && std::any_of(groups.begin(), groups.end(), [](const auto& g) {
           return g.rows > kFewActivations;
         });
}

// Whether the products are made of panels: prompts through BF16 weights.
bool uses_panels(const Context& ctx, std::span<const ProductGroup> groups, const Activations& x) {
  return ctx.phase() == Phase::kPrefill && x.halves != nullptr &&
         groups[0].weight->type == DType::kBF16;
}

void panel_product(Context& ctx, std::span<const ProductGroup> groups, const Activations& x,
                   float* out, int64_t out_stride) {
  std::vector<PanelProduct> products;
  for (const ProductGroup& g : groups) {
    CHECK(g.weight->type == DType::kBF16);
    PanelProduct p;
    p.left = {x.halves + g.first * x.columns, x.columns, false};
    p.rows = g.rows;
    p.right = {reinterpret_cast<const uint16_t*>(g.weight->row(g.weight_first)), x.columns, false};
    p.columns = g.weight_rows;
    p.inner = x.columns;
    p.out = out + g.first * out_stride + g.column;
    p.out_stride = out_stride;
    products.push_back(p);
  }
  multiply_panels(ctx, products);
}

bool needs_float_scratch(DType type) {
  return !is_quantized(type) && type != DType::kF32;
}

int64_t round_up(int64_t count, int64_t step) {
  return (count + step - 1) / step * step;
}

// Weight rows of one task. Results do not depend on it.
int64_t task_rows(const Context& ctx, std::span<const ProductGroup> groups) {
  int64_t most = kMostTaskRows;
  if (ctx.phase() == Phase::kDecode) {
    const Tensor& w = *groups[0].weight;
    most = kStretchBytes / row_bytes(w.type, w.columns());
  }
  // Small matrices are to give every worker something to do.
  int64_t total = 0;
  for (const auto& g : groups) total += g.rows == 0 ? 0 : g.weight_rows;
  const int64_t fair = total / (2 * ctx.pool().size());
  return round_up(std::clamp(fair, kRowStep, std::max(kRowStep, most)), kRowStep);
}

// Splits the groups into tasks of `step` weight rows. Calls body(group index, first weight row of
// the task relative to the group, rows of the task, worker) for all tasks.
template <typename Body>
void for_each_task(Context& ctx, std::span<const ProductGroup> groups, int64_t step,
                   const Body& body) {
  // Group g has tasks [starts[g], starts[g + 1]).
  std::vector<int64_t> starts = {0};
  for (const auto& g : groups) {
    starts.push_back(starts.back() + (g.rows == 0 ? 0 : (g.weight_rows + step - 1) / step));
  }
  ctx.pool().parallel_for(starts.back(), [&](int64_t task, int worker) {
    const auto it = std::upper_bound(starts.begin(), starts.end(), task) - 1;
    const auto g = static_cast<size_t>(it - starts.begin());
    const int64_t row = (task - *it) * step;
    body(g, row, std::min(step, groups[g].weight_rows - row), worker);
  });
}

}  // namespace

void decode_weight_row(const Kernels& kernels, const Tensor& weight, int64_t row, float* out) {
  const int64_t n = weight.columns();
  kernels.unpack_f32[static_cast<int>(weight.type)](weight.row(row), n, out);
  if (weight.block_scales == nullptr) return;
  const int64_t blocks = (n + kScaleBlock - 1) / kScaleBlock;
  const float* scales = weight.block_scales + row / kScaleBlock * blocks;
  for (int64_t b = 0; b < blocks; ++b) {
    const int64_t begin = b * kScaleBlock;
    kernels.scale(out + begin, std::min(kScaleBlock, n - begin), scales[b]);
  }
}

void grouped_product(Context& ctx, std::span<const ProductGroup> groups, const Activations& x,
                     float* out, int64_t out_stride) {
  if (groups.empty()) return;
  for (const auto& g : groups) check_group(g, x);
  if (Tape* tape = ctx.tape()) {
    tape->record(
        [tape, x, out, out_stride, list = std::vector(groups.begin(), groups.end())](Context& c) {
          const Tape::Place x_grad = tape->place(x.source);
          grouped_product_backward(c, *tape, list, x, tape->gradient(out), out_stride,
                                   x_grad.values, x_grad.fresh);
        });
  }
  if (uses_panels(ctx, groups, x)) {
    panel_product(ctx, groups, x, out, out_stride);
    return;
  }
  const auto scratch =
      worker_scratch(ctx, x.columns, unpacks(groups, x), any(groups, needs_float_scratch));
  for_each_task(ctx, groups, task_rows(ctx, groups),
                [&](size_t index, int64_t row, int64_t rows, int worker) {
                  const ProductGroup& g = groups[index];
                  product(ctx.kernels(), *g.weight, g.weight_first + row, rows, x, g.first, g.rows,
                          scratch[static_cast<size_t>(worker)],
                          out + g.first * out_stride + g.column + row, out_stride);
                });
}

namespace {

// grouped_swiglu() with all products of gates and ups in memory: where a tape needs them, or where
// panels make them.
void separate_swiglu(Context& ctx, std::span<const ProductGroup> gates,
                     std::span<const ProductGroup> ups, const Activations& x, float* out,
                     int64_t out_stride) {
  const Tensor gate = ctx.activation({x.rows, out_stride}), up = ctx.activation(gate.shape);
  grouped_product(ctx, gates, x, gate.f32(), out_stride);
  grouped_product(ctx, ups, x, up.f32(), out_stride);
  // Calls body(offset, count) for the part of each row that a group has.
  const auto for_parts = [out_stride](Context& c, std::span<const ProductGroup> groups,
                                      const auto& body) {
    for_group_blocks(c, groups, [&](size_t index, int64_t first, int64_t count) {
      const ProductGroup& g = groups[index];
      for (int64_t m = g.first + first; m < g.first + first + count; ++m) {
        body(m * out_stride + g.column, g.weight_rows);
      }
    });
  };
  for_parts(ctx, gates, [&](int64_t at, int64_t n) {
    ctx.kernels().silu_mul(gate.f32() + at, up.f32() + at, n, out + at);
  });
  Tape* tape = ctx.tape();
  if (tape == nullptr) return;
  tape->record([=, list = std::vector(gates.begin(), gates.end())](Context& c) {
    const float* out_grad = tape->gradient(out);
    float* gate_grad = tape->place(gate.f32()).values;
    float* up_grad = tape->place(up.f32()).values;
    for_parts(c, list, [&](int64_t at, int64_t n) {
      c.kernels().silu_mul_backward(gate.f32() + at, up.f32() + at, out_grad + at, n,
                                    gate_grad + at, up_grad + at);
    });
  });
}

}  // namespace

void grouped_swiglu(Context& ctx, std::span<const ProductGroup> gates,
                    std::span<const ProductGroup> ups, const Activations& x, float* out,
                    int64_t out_stride) {
  CHECK(gates.size() == ups.size());
  if (gates.empty()) return;
  int64_t most_rows = 0;
  for (size_t i = 0; i < gates.size(); ++i) {
    check_group(gates[i], x);
    check_group(ups[i], x);
    CHECK(gates[i].first == ups[i].first && gates[i].rows == ups[i].rows);
    CHECK(gates[i].weight_rows == ups[i].weight_rows);
    most_rows = std::max(most_rows, gates[i].rows);
  }
  if (ctx.tape() != nullptr || uses_panels(ctx, gates, x)) {
    separate_swiglu(ctx, gates, ups, x, out, out_stride);
    return;
  }
  const bool floats = any(gates, needs_float_scratch) || any(ups, needs_float_scratch);
  const auto scratch = worker_scratch(ctx, x.columns, unpacks(gates, x), floats);
  // Gate products go to `out`, up products here: [most_rows, step] for each worker.
  const int64_t step = task_rows(ctx, gates);
  float* products = ctx.arena().allocate<float>(ctx.pool().size() * most_rows * step);
  for_each_task(ctx, gates, step, [&](size_t index, int64_t row, int64_t rows, int worker) {
    const ProductGroup& gate = gates[index];
    const ProductGroup& up = ups[index];
    const auto& s = scratch[static_cast<size_t>(worker)];
    float* gate_out = out + gate.first * out_stride + gate.column + row;
    float* up_out = products + worker * most_rows * step;
    product(ctx.kernels(), *gate.weight, gate.weight_first + row, rows, x, gate.first, gate.rows, s,
            gate_out, out_stride);
    product(ctx.kernels(), *up.weight, up.weight_first + row, rows, x, gate.first, gate.rows, s,
            up_out, step);
    for (int64_t m = 0; m < gate.rows; ++m) {
      float* g = gate_out + m * out_stride;
      ctx.kernels().silu_mul(g, up_out + m * step, rows, g);
    }
  });
}

}  // namespace minke
