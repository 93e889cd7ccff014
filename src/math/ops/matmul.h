#pragma once

#include <cstdint>
#include <span>

#include "math/ops/context.h"
#include "math/ops/ops.h"

namespace minke {

// Matrix products of activations with weights of any storage type: what linear, swiglu, moe and
// attention are made of.
//
// Weights stay as they are stored. A product with a quantized weight rounds the activations to 8
// bits; one with a BF16 weight rounds them to bfloat16 at levels that have products of such values;
// other float weights keep them in float32. Each output value depends on its weight row, its
// activation row and the phase alone.
//
// With a tape, weights must be of float types, and each row of the activations must be in exactly
// one group.

// Activation rows ready for products: as floats, in 8 bits (in one of two arrangements), or both,
// as the weights that they are prepared for and the phase need.
struct Activations {
  const float* source = nullptr;     // [rows, columns]: what has the gradient; may hold no values
  const float* x = nullptr;          // [rows, columns], null if not needed
  const uint16_t* halves = nullptr;  // [rows, columns] in bfloat16, null if not needed
  int64_t rows = 0;
  int64_t columns = 0;
  QuantizedRows quantized{};  // q is null if not needed
  const ActivationBlock* blocks =
      nullptr;  // [rows, activation_blocks(columns)], null if not needed
};

// Prepares x [rows, columns] for products with weights of the types of `weights`.
Activations prepare(Context& ctx, const Tensor& x, std::span<const Tensor* const> weights);
inline Activations prepare(Context& ctx, const Tensor& x,
                           std::initializer_list<const Tensor*> weights) {
  return prepare(ctx, x, std::span(weights.begin(), weights.size()));
}
// Rows `indices` of `a`, copied next to each other.
Activations gather_rows(Context& ctx, const Activations& a, std::span<const int32_t> indices);

// A product of some activation rows with some weight rows:
//   out[first + m, column + n] = sum_k weight[weight_first + n, k] * x[first + m, k]  for m < rows,
//   n < weight_rows.
struct ProductGroup {
  const Tensor* weight = nullptr;
  int64_t weight_first = 0;
  int64_t weight_rows = 0;
  int64_t first = 0;
  int64_t rows = 0;
  int64_t column = 0;
};

// Computes every group into `out`, rows of out_stride floats. Groups must not overlap in what they
// write.
void grouped_product(Context& ctx, std::span<const ProductGroup> groups, const Activations& x,
                     float* out, int64_t out_stride);

// out[first + m, column + n] = silu(gate_n . x_m) * (up_n . x_m) for each pair of groups, which
// differ in their weight only.
void grouped_swiglu(Context& ctx, std::span<const ProductGroup> gates,
                    std::span<const ProductGroup> ups, const Activations& x, float* out,
                    int64_t out_stride);

// What grouped_product() records: from the gradient of its result to those of the activations,
// added to x_grad [x.rows, x.columns], or, if `fresh`, in the place of what stands there, and of
// tracked weights.
void grouped_product_backward(Context& ctx, const Tape& tape, std::span<const ProductGroup> groups,
                              const Activations& x, const float* out_grad, int64_t out_stride,
                              float* x_grad, bool fresh);

// The ops of these names in ops.h, of activations that are prepared for several of them.
Tensor linear(Context& ctx, const Activations& x, const Tensor& w, const Tensor& bias = {});
Tensor swiglu(Context& ctx, const Activations& x, const Tensor& gate, const Tensor& up);
Tensor moe(Context& ctx, const Activations& x, const Routing& routing, const Experts& experts);

// Row `row` of `weight` as `columns` floats, block scales applied.
void decode_weight_row(const Kernels& kernels, const Tensor& weight, int64_t row, float* out);

}  // namespace minke
