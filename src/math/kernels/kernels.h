#pragma once

#include <stdint.h>

// The function table of numeric kernels. Kernels take raw pointers and know no Tensor. Files in the
// instruction-set folders include this header, fixed-width integers and intrinsics only, so that no
// standard-library template is ever compiled with their flags; for the same reason helpers here are
// static, never inline with external linkage.
//
// Scalar is the specification: kernels/scalar/ defines what each entry computes. The other folders
// translate it; floating-point sums may be associated differently there, but always in an order
// that depends on n alone: the result for one (row, column) pair is the same whatever the other
// arguments (how many rows, which neighbours) are. Integer sums are exact, and so are unpacked and
// quantized rows: they are equal at every level, bit for bit (any NaN counts as any other).

namespace minke {

enum class DType : uint8_t;  // math/tensor/dtype.h
enum class Isa;              // base/cpu/isa.h

// Values of a row that share one scale and one offset.
inline constexpr int kGroup = 16;
// Buffers of 8-bit rows are padded to a multiple of this many values (see padded_columns).
inline constexpr int kPanel = 64;
// Values that are interleaved together (see interleaved_position).
inline constexpr int kRun = 256;

// `columns` rounded up to a multiple of kPanel.
static inline int64_t padded_columns(int64_t columns) {
  return (columns + kPanel - 1) / kPanel * kPanel;
}

// Where value i of an 8-bit row of `padded` values stands in its q array.
//
// The row is cut into runs of 256 values; the last run may be shorter. In a run of k groups (k is
// 16, or 4, 8, 12 in the last one) values 4t..4t+3 of group g stand together at 4 * (t*k + g). So a
// vector of k 32-bit lanes loaded at 4*t*k holds a quarter of every group, and adding up the dot
// products of the four such vectors leaves the sum of each group in its own lane, beside its scale.
static inline int64_t interleaved_position(int64_t i, int64_t padded) {
  const int64_t run = i / kRun * kRun;
  const int64_t groups = (padded - run < kRun ? padded - run : kRun) / kGroup;
  const int64_t g = (i - run) / kGroup;
  const int64_t t = i % kGroup / 4;
  return run + 4 * (t * groups + g) + i % 4;
}

// A quantized weight row brought to one common form, whatever the format it was stored in:
//   w[i] = scale[i / 16] * q[interleaved_position(i)] + offset[i / 16].
// Arrays hold padded_columns(n) values (q) and padded_columns(n) / 16 (scale, offset). In the
// padding q, scale and offset are zero.
struct UnpackedRow {
  int8_t* q;
  float* scale;
  float* offset;
};

// Activation rows quantized to 8 bits, one scale for 32 values:
//   x[i] ~ scale[i / 16] * q[interleaved_position(i)], |q| <= 127,
// both groups of 16 of a block of 32 with the same scale. Row m starts at q + m*stride, at scale,
// sum and bias + m*stride/16; stride = padded_columns(n). In the padding
// everything is zero.
struct QuantizedRows {
  int8_t* q;
  float* scale;
  float* sum;     // scale * (sum of the q of the group), the factor of a weight's offset
  int32_t* bias;  // [stride/16]: -128 * (sum of the q of the group), for kernels that feed w + 128
  int64_t stride;
};

// Activation values that are quantized together.
inline constexpr int kActivationBlock = 32;

// A block of 32 activation values in 8 bits: x[i] ~ scale * q[i], with what products need to know
// of the block and of its halves of 16. One cache line.
struct alignas(64) ActivationBlock {
  int8_t q[kActivationBlock];
  float scale;
  float sum[3];     // scale * (sum of q): of the block, of its first and of its second half
  int32_t bias[3];  // -128 * (sum of q), likewise
  int32_t unused;
};

// Blocks of a row of n values; in the last one q is zero from n on.
static inline int64_t activation_blocks(int64_t n) {
  return (n + kActivationBlock - 1) / kActivationBlock;
}

// Rows of x from m on.
static inline QuantizedRows rows_from(const QuantizedRows& x, int64_t m) {
  const int64_t groups = m * x.stride / kGroup;
  return {x.q + m * x.stride, x.scale + groups, x.sum + groups, x.bias + groups, x.stride};
}

// The entries that a level has of one quantized type; see the members of the same names of Kernels.
struct QuantizedFormat {
  void (*unpack_i8)(const uint8_t* row, int64_t n, UnpackedRow out);
  void (*unpack_f32)(const uint8_t* row, int64_t n, float* out);
  void (*product_few)(const uint8_t* rows, int64_t row_stride, int row_count, int64_t n,
                      QuantizedRows x, int64_t m_count, float* out, int64_t out_stride);
  void (*product_many)(const uint8_t* rows, int64_t row_stride, int row_count, int64_t n,
                       const ActivationBlock* x, int64_t x_stride, int64_t m_count, float* out,
                       int64_t out_stride);
};

// Latents as attention finds them in the cache: `count` rows of n values of Q8_0, row_stride bytes
// apart. All blocks of the first `latent_values` values of a row have one scale, and so have all
// others.
struct LatentRows {
  const uint8_t* rows;
  int64_t row_stride;
  int64_t count;
  int64_t n, latent_values;  // multiples of 32
};
// Most rows that quantize_weights and accumulate_latents take.
inline constexpr int64_t kMostLatentRows = 256;

// Query rows in 8 bits for products with latents: x[i] ~ scale * q[i], |q| <= 127, with one scale
// for kQueryBlock values, counted from the first of the latent and from the first behind it. Rows
// come in tiles of kQueryTile, rows that are missing being zero:
//   q [tiles, n / 4, kQueryTile, 4], scale and bias (-128 * sum of q) [tiles, blocks, kQueryTile].
// q begins at a multiple of 4 bytes.
struct QuantizedQueries {
  int8_t* q;
  float* scale;
  int32_t* bias;
};
inline constexpr int kQueryBlock = 128;
inline constexpr int kQueryTile = 8;
static inline int64_t query_blocks(int64_t n, int64_t latent_values) {
  return (latent_values + kQueryBlock - 1) / kQueryBlock +
         (n - latent_values + kQueryBlock - 1) / kQueryBlock;
}

// Softmax weights times the scales of the latents, in 8 bits without a sign and one scale for a
// row. Rows come in tiles of kWeightTile, and each has weight_bytes(count) weights:
//   q [tiles, weight_bytes(count) / 4, kWeightTile, 4], scale [rows].
// Weights of rows and latents that are missing are zero. q begins at a multiple of 4 bytes.
struct QuantizedWeights {
  uint8_t* q;
  float* scale;
};
inline constexpr int kWeightTile = 4;
static inline int64_t weight_bytes(int64_t count) {
  return (count + 15) / 16 * 16;
}

// Rows of bfloat16 values laid out for products of two matrices: value i of row r of a panel of
// `width` rows stands at 2 * (i / 2 * width + r) + i % 2. Rows that are missing, and the last value
// of an odd number, are zero.
inline constexpr int kPanelWidth = 32;  // rows of the right operand of a tile
static inline int64_t panel_values(int64_t width, int64_t n) {
  return (n + 1) / 2 * 2 * width;
}

struct Kernels {
  Isa isa;

  // --- weights ---------------------------------------------------------------------------------
  // Unpacks n values (a multiple of the type's block) of one row into the common form, padding
  // included. Indexed by DType; null for types that are not quantized.
  void (*unpack_i8[32])(const uint8_t* row, int64_t n, UnpackedRow out);
  // Converts n values (a multiple of the type's block) of one row to float32, in natural order.
  // Indexed by DType; every type. Quantized types: scale * q + offset, rounded after each step.
  void (*unpack_f32[32])(const uint8_t* row, int64_t n, float* out);

  // --- matrix products -------------------------------------------------------------------------
  // Quantizes one activation row of n values, padding included; the arrays are those of
  // QuantizedRows for one row. scale = (largest |x| of 32) / 127, q = x * (127 / largest) rounded
  // to nearest, ties to even. A block whose values are all below 2^-100 counts as zeros: scale 0.
  // A block with NaN or infinity gets q = 0 and scale and sum NaN.
  void (*quantize_i8)(const float* x, int64_t n, int8_t* q, float* scale, float* sum,
                      int32_t* bias);
  // out[m * out_stride + r] = sum_i w_r[i] * x_m[i] for r < rows consecutive unpacked rows (row r
  // at w.q + r*x.stride, and at w.scale and w.offset + r*x.stride/16) and m < m_count. Runs over
  // x.stride values, which must be a multiple of kPanel. Fastest: rows a multiple of four, four for
  // one activation row and sixteen for many, as long as the unpacked rows stay in the first-level
  // cache.
  void (*dot_i8)(UnpackedRow w, int rows, QuantizedRows x, int64_t m_count, float* out,
                 int64_t out_stride);
  // The same for `row_count` rows of n values as they are stored, row_stride bytes apart; the same
  // bits as dot_i8 gives on unpacked rows. For few activation rows: each weight is read once for up
  // to four of them and never written. Indexed by DType; null for types that are not quantized.
  void (*product_few[32])(const uint8_t* rows, int64_t row_stride, int row_count, int64_t n,
                          QuantizedRows x, int64_t m_count, float* out, int64_t out_stride);
  // Quantizes one activation row of n values for product_many: q and scale are those of
  // quantize_i8, in natural order. `out` holds activation_blocks(n).
  void (*quantize_blocks)(const float* x, int64_t n, ActivationBlock* out);
  // The same product for many activation rows, of n / 32 blocks each, x_stride blocks apart; n is a
  // multiple of 32. Sums are formed block by block (halves of blocks where a format scales 16
  // columns), another order than that of dot_i8. Indexed by DType; null for types that are not
  // quantized.
  void (*product_many[32])(const uint8_t* rows, int64_t row_stride, int row_count, int64_t n,
                           const ActivationBlock* x, int64_t x_stride, int64_t m_count, float* out,
                           int64_t out_stride);
  // out[m * out_stride + r] = sum_i w[r * w_stride + i] * x[m * x_stride + i] for r < rows,
  // m < m_count. Any n >= 0.
  void (*dot_f32)(const float* w, int64_t w_stride, int64_t rows, const float* x, int64_t x_stride,
                  int64_t m_count, int64_t n, float* out, int64_t out_stride);
  // out[m * out_stride + i] += sum_r p[m * p_stride + r] * v[r * v_stride + i], adding to `out` in
  // the order of r, one multiply-add each (fused where the level has it).
  void (*accumulate_f32)(const float* p, int64_t p_stride, int64_t m_count, const float* v,
                         int64_t v_stride, int64_t rows, int64_t n, float* out, int64_t out_stride);

  // --- latents in 8 bits: null below avx512 -----------------------------------------------------
  // Quantizes m_count rows of n values, x_stride apart: scale = (largest |x|) / 127, q as in
  // quantize_i8. A block of values below 2^-100 has q = 0 and scale 0, one with NaN or infinity q =
  // 0 and scale NaN.
  void (*quantize_queries)(const float* x, int64_t x_stride, int64_t m_count, int64_t n,
                           int64_t latent_values, QuantizedQueries out);
  // out[m * out_stride + r] = row r . x_m: for each block of x_m in turn, its scale times (the
  // row's scale times the sum of products, which is exact), added with one rounding.
  void (*dot_latents)(LatentRows w, QuantizedQueries x, int64_t m_count, float* out,
                      int64_t out_stride);
  // Quantizes weights p[m * p_stride + r] >= 0 of m_count rows, each times the scale of latent r.
  // scale = (largest) / 255. What rounding takes from a weight is given to that of the latent 16
  // further: many small weights are not lost together, whatever the largest is. Weights of 0 stay,
  // whatever the latent's scale. A row whose products are all below 2^-100 has q = 0; one with a
  // product that is NaN has q = 0 and scale NaN.
  void (*quantize_weights)(const float* p, int64_t p_stride, int64_t m_count, LatentRows v,
                           QuantizedWeights out);
  // out[m * out_stride + i] += scale_m * sum_r q_m[r] * (byte i of row r), i < v.latent_values; the
  // sum is exact.
  void (*accumulate_latents)(QuantizedWeights p, int64_t m_count, LatentRows v, float* out,
                             int64_t out_stride);

  // --- bfloat16 rows ---------------------------------------------------------------------------
  // out = x rounded to bfloat16, to nearest, ties to even. NaN stays NaN; subnormal values may
  // become zeros. Any n >= 0.
  void (*round_bf16)(const float* x, int64_t n, uint16_t* out);
  // out[r * n + i] = value i of row r < row_count of Q8_0, row_stride bytes apart, rounded as by
  // unpack_f32 and then round_bf16; n is a multiple of 32. Null where dot_bf16 is.
  void (*round_q8_0)(const uint8_t* rows, int64_t row_stride, int64_t row_count, int64_t n,
                     uint16_t* out);
  // out[m * out_stride + r] = sum_i w[r * w_stride + i] * x[m * x_stride + i], as dot_f32 does, of
  // bfloat16 values with float32 sums. Subnormal inputs, products and sums may count as zero, and a
  // sum of two products may be rounded once or twice: both are the machine's. Null where the level
  // has no such instruction.
  void (*dot_bf16)(const uint16_t* w, int64_t w_stride, int64_t rows, const uint16_t* x,
                   int64_t x_stride, int64_t m_count, int64_t n, float* out, int64_t out_stride);
  // out[m * out_stride + i] += sum_r p[m * p_stride + r] * v[r * v_stride + i], as accumulate_f32
  // does, adding rows 2k and 2k + 1 together, in the order of k. Rounding as in dot_bf16. Null
  // where dot_bf16 is.
  void (*accumulate_bf16)(const uint16_t* p, int64_t p_stride, int64_t m_count, const uint16_t* v,
                          int64_t v_stride, int64_t rows, int64_t n, float* out,
                          int64_t out_stride);

  // Lays out `rows` rows of n values as a panel. Value i of row r is x[r * stride + i] for the
  // first, whose width is kPanelWidth, and x[i * stride + r] for the second, whose width is a
  // multiple of kPanelWidth. Null where dot_bf16 is.
  void (*pack_rows_bf16)(const uint16_t* x, int64_t stride, int rows, int64_t n, uint16_t* panel);
  void (*pack_columns_bf16)(const uint16_t* x, int64_t stride, int rows, int64_t n, int width,
                            uint16_t* panel);
  // out[r * out_stride + i] = x[i * stride + r] for r < rows, i < n. Null but where multiply_bf16
  // wants its left operand row by row.
  void (*transpose_bf16)(const uint16_t* x, int64_t stride, int rows, int64_t n, uint16_t* out,
                         int64_t out_stride);
  // out[m * out_stride + r] (+)= sum_i left(m, i) * right_r[i] for m < rows <= left_rows and
  // r < columns of a panel of kPanelWidth rows; `add`: to what stands in `out`. Values 2p and
  // 2p + 1 of row m of the left operand stand at left + m * row_stride + p * pair_stride;
  // pair_stride is 2 where there is transpose_bf16. One step after the other of step_pairs pairs:
  // the order of additions depends on `pairs` alone, and a product in parts of whole steps is the
  // product in one. Rounding as in dot_bf16. Null, and both numbers 0, where dot_bf16 is.
  int left_rows;  // most rows of the left operand
  int step_pairs;
  void (*multiply_bf16)(const uint16_t* left, int64_t row_stride, int64_t pair_stride,
                        const uint16_t* right, int64_t pairs, int rows, int columns, bool add,
                        float* out, int64_t out_stride);

  // --- elementwise and reductions --------------------------------------------------------------
  // out = w * (x / sqrt(mean(x^2) + eps)). `out` may be `x`.
  void (*rms_norm)(const float* x, const float* w, int64_t n, float eps, float* out);
  // out = silu(gate) * up, silu(z) = z / (1 + exp(-z)). `out` may be `gate`.
  void (*silu_mul)(const float* gate, const float* up, int64_t n, float* out);
  // The gradients of rms_norm's operands, added to x_grad and w_grad, from that of its result:
  //   x_grad += (g w - xh mean(g w xh)) / rms,  w_grad += g xh,  xh = x / rms.
  void (*rms_norm_backward)(const float* x, const float* w, const float* out_grad, int64_t n,
                            float eps, float* x_grad, float* w_grad);
  // Those of silu_mul's operands, replacing what stands there; gate_grad may be out_grad.
  void (*silu_mul_backward)(const float* gate, const float* up, const float* out_grad, int64_t n,
                            float* gate_grad, float* up_grad);
  // to[i] += factor * x[i], one multiply-add each (fused where the level has it).
  void (*add_scaled)(const float* x, int64_t n, float factor, float* to);
  // x[i] = exp(x[i] - max) in place; returns the sum of the results. Results below the smallest
  // normal float are 0; minus infinity gives exactly 0. `max` must be finite.
  float (*exp_sum)(float* x, int64_t n, float max);
  // Largest of n > 0 values; which one if there is a NaN is not specified.
  float (*max)(const float* x, int64_t n);
  // x[i] *= factor.
  void (*scale)(float* x, int64_t n, float factor);
};

// The table for `isa`: the scalar entries, overlaid by those of each level that it contains.
Kernels select_kernels(Isa isa);

}  // namespace minke
