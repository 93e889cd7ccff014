#include "base/core/check.h"
#include "math/ops/matmul.h"
#include "math/ops/ops.h"
#include "math/ops/tape.h"

namespace minke {
namespace {

// The gradient of a bias is the sum of the result's rows.
void record_bias(Context& ctx, const Tensor& out, const Tensor& bias) {
  Tape* tape = ctx.tape();
  float* bias_grad = tape == nullptr ? nullptr : tape->weight_gradient(bias);
  if (bias_grad == nullptr) return;
  tape->record([=](Context& c) {
    const float* grad = tape->gradient(out.f32());
    for (int64_t m = 0; m < out.rows(); ++m) {
      c.kernels().add_scaled(grad + m * out.columns(), out.columns(), 1.0f, bias_grad);
    }
  });
}

}  // namespace

Tensor linear(Context& ctx, const Activations& x, const Tensor& w, const Tensor& bias) {
  const int64_t n = w.rows();
  Tensor out = ctx.activation({x.rows, n});
  const ProductGroup group{&w, 0, n, 0, x.rows};
  grouped_product(ctx, {&group, 1}, x, out.f32(), n);
  if (bias) {
    CHECK(bias.shape.elements() == n);
    for_row_blocks(ctx, x.rows, [&](int64_t first, int64_t count) {
      for (int64_t m = first; m < first + count; ++m) {
        float* row = out.f32() + m * n;
        for (int64_t i = 0; i < n; ++i) row[i] += bias.f32()[i];
      }
    });
    record_bias(ctx, out, bias);
  }
  return out;
}

Tensor linear(Context& ctx, const Tensor& x, const Tensor& w, const Tensor& bias) {
  CHECK(x.columns() == w.columns());
  return linear(ctx, prepare(ctx, x, {&w}), w, bias);
}

Tensor swiglu(Context& ctx, const Activations& x, const Tensor& gate, const Tensor& up) {
  CHECK(gate.shape == up.shape);
  Tensor out = ctx.activation({x.rows, gate.rows()});
  const ProductGroup g{&gate, 0, gate.rows(), 0, x.rows};
  const ProductGroup u{&up, 0, up.rows(), 0, x.rows};
  grouped_swiglu(ctx, {&g, 1}, {&u, 1}, x, out.f32(), gate.rows());
  return out;
}

Tensor swiglu(Context& ctx, const Tensor& x, const Tensor& gate, const Tensor& up) {
  return swiglu(ctx, prepare(ctx, x, {&gate, &up}), gate, up);
}

}  // namespace minke
