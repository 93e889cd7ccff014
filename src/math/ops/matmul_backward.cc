#include <algorithm>
#include <vector>

#include "base/core/check.h"
#include "math/ops/group_blocks.h"
#include "math/ops/matmul.h"
#include "math/ops/panels.h"
#include "math/ops/tape.h"

namespace minke {
namespace {

// Rows of a result that one task adds to: few enough to stay in the first-level cache.
constexpr int64_t kTaskRows = 32;

template <typename Body>
void for_tasks(Context& ctx, int64_t rows, const Body& body) {
  ctx.pool().parallel_for((rows + kTaskRows - 1) / kTaskRows, [&](int64_t i, int) {
    body(i * kTaskRows, std::min(kTaskRows, rows - i * kTaskRows));
  });
}

// The weight rows of a group as floats, [weight_rows, columns].
const float* float_rows(Context& ctx, const ProductGroup& g) {
  const int64_t n = g.weight->columns();
  if (g.weight->type == DType::kF32) return g.weight->f32() + g.weight_first * n;
  float* to = ctx.arena().allocate<float>(g.weight_rows * n);
  for_tasks(ctx, g.weight_rows, [&](int64_t first, int64_t count) {
    for (int64_t r = first; r < first + count; ++r) {
      decode_weight_row(ctx.kernels(), *g.weight, g.weight_first + r, to + r * n);
    }
  });
  return to;
}

// In float32, one group after the other.
void float_backward(Context& ctx, const ProductGroup& g, const Activations& x, const float* grad,
                    int64_t stride, float* x_grad, bool fresh, float* w_grad) {
  const int64_t n = x.columns;
  const Kernels& k = ctx.kernels();
  const float* w = float_rows(ctx, g);
  for_tasks(ctx, g.rows, [&](int64_t first, int64_t count) {
    float* to = x_grad + (g.first + first) * n;
    if (fresh) std::fill_n(to, count * n, 0.0f);
    k.accumulate_f32(grad + first * stride, stride, count, w, n, g.weight_rows, n, to, n);
  });
  if (w_grad == nullptr) return;
  float* turned = ctx.arena().allocate<float>(ctx.pool().size() * kTaskRows * g.rows);
  ctx.pool().parallel_for((g.weight_rows + kTaskRows - 1) / kTaskRows, [&](int64_t i, int worker) {
    const int64_t first = i * kTaskRows, count = std::min(kTaskRows, g.weight_rows - first);
    float* t = turned + worker * kTaskRows * g.rows;
    for (int64_t m = 0; m < g.rows; ++m) {
      for (int64_t r = 0; r < count; ++r) t[r * g.rows + m] = grad[m * stride + first + r];
    }
    k.accumulate_f32(t, g.rows, count, x.x + g.first * n, n, g.rows, n,
                     w_grad + (g.weight_first + first) * n, n);
  });
}

// In products of bfloat16 values: the gradient is rounded as the activations were.
void panel_backward(Context& ctx, const Tape& tape, std::span<const ProductGroup> groups,
                    const Activations& x, const float* grad, int64_t stride, float* x_grad,
                    bool fresh) {
  const int64_t n = x.columns;
  std::vector<PanelProduct> to_x, to_weights;
  std::vector<uint16_t*> rounded;  // of each group, [rows, weight_rows]
  for (const ProductGroup& g : groups) {
    rounded.push_back(ctx.arena().allocate<uint16_t>(g.rows * g.weight_rows));
  }
  for_group_blocks(ctx, groups, [&](size_t index, int64_t first, int64_t count) {
    const ProductGroup& g = groups[index];
    for (int64_t m = first; m < first + count; ++m) {
      ctx.kernels().round_bf16(grad + (g.first + m) * stride + g.column, g.weight_rows,
                               rounded[index] + m * g.weight_rows);
    }
  });
  for (size_t i = 0; i < groups.size(); ++i) {
    const ProductGroup& g = groups[i];
    const uint16_t* halves = rounded[i];
    const auto* w = reinterpret_cast<const uint16_t*>(g.weight->row(g.weight_first));
    to_x.push_back({{halves, g.weight_rows, false},
                    g.rows,
                    {w, n, true},
                    n,
                    g.weight_rows,
                    x_grad + g.first * n,
                    n,
                    !fresh});
    if (float* w_grad = tape.weight_gradient(*g.weight)) {
      to_weights.push_back({{halves, g.weight_rows, true},
                            g.weight_rows,
                            {x.halves + g.first * n, n, true},
                            n,
                            g.rows,
                            w_grad + g.weight_first * n,
                            n,
                            true});
    }
  }
  multiply_panels(ctx, to_x);
  multiply_panels(ctx, to_weights);
}

}  // namespace

void grouped_product_backward(Context& ctx, const Tape& tape, std::span<const ProductGroup> groups,
                              const Activations& x, const float* out_grad, int64_t out_stride,
                              float* x_grad, bool fresh) {
  const ScratchScope scratch(ctx);
  const bool panels = x.halves != nullptr && groups[0].weight->type == DType::kBF16;
  if (panels) {
    panel_backward(ctx, tape, groups, x, out_grad, out_stride, x_grad, fresh);
    return;
  }
  for (const ProductGroup& g : groups) {
    CHECK(!is_quantized(g.weight->type) && x.x != nullptr);
    float_backward(ctx, g, x, out_grad + g.first * out_stride + g.column, out_stride, x_grad, fresh,
                   tape.weight_gradient(*g.weight));
  }
}

}  // namespace minke
