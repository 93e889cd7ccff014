#include <cmath>
#include <cstring>

#include "base/core/check.h"
#include "math/ops/ops.h"
#include "math/ops/tape.h"

namespace minke {
namespace {

// Which values of a row are pairs.
struct Pairs {
  int64_t row, head_dim, count;  // values of a row and of a head, pairs of a head
  int64_t step, other;           // between pairs, and from a pair's first to its second value
};

// Rotates every pair of v by the angle, or back (`sign` -1).
void rotate_row(const float* cos, const float* sin, float sign, const Pairs& pairs, float* v) {
  for (int64_t end = pairs.head_dim; end <= pairs.row; end += pairs.head_dim) {
    float* h = v + end - 2 * pairs.count;
    for (int64_t i = 0; i < pairs.count; ++i) {
      const float a = h[i * pairs.step], b = h[i * pairs.step + pairs.other];
      const float s = sign * sin[i];
      h[i * pairs.step] = a * cos[i] - b * s;
      h[i * pairs.step + pairs.other] = a * s + b * cos[i];
    }
  }
}

}  // namespace

RopeAngles rope_angles(Context& ctx, std::span<const int32_t> positions,
                       std::span<const double> inv_freq, double magnitude) {
  const auto rows = static_cast<int64_t>(positions.size());
  const auto pairs = static_cast<int64_t>(inv_freq.size());
  RopeAngles angles{ctx.activation({rows, pairs}), ctx.activation({rows, pairs})};
  for (int64_t m = 0; m < rows; ++m) {
    for (int64_t i = 0; i < pairs; ++i) {
      const double angle = positions[static_cast<size_t>(m)] * inv_freq[static_cast<size_t>(i)];
      angles.cos.f32()[m * pairs + i] = static_cast<float>(std::cos(angle) * magnitude);
      angles.sin.f32()[m * pairs + i] = static_cast<float>(std::sin(angle) * magnitude);
    }
  }
  return angles;
}

Tensor rope(Context& ctx, const Tensor& x, int64_t head_dim, const RopeAngles& angles,
            RopeLayout layout) {
  const int64_t count = angles.cos.columns(), n = x.columns();
  CHECK(angles.cos.rows() == x.rows());
  CHECK(n % head_dim == 0 && 2 * count <= head_dim);
  const bool interleaved = layout == RopeLayout::kInterleaved;
  const Pairs pairs{n, head_dim, count, interleaved ? 2 : 1, interleaved ? 1 : count};
  Tensor out = ctx.activation(x.shape);
  // Rotates rows of `from` into rows of `to`; both may be the same.
  const auto rotate = [pairs, angles](Context& c, const float* from, float sign, float* to) {
    for_row_blocks(c, angles.cos.rows(), [&](int64_t first, int64_t rows) {
      for (int64_t m = first; m < first + rows; ++m) {
        float* row = to + m * pairs.row;
        if (from != to) {
          std::memcpy(row, from + m * pairs.row, static_cast<size_t>(pairs.row) * sizeof(float));
        }
        rotate_row(angles.cos.f32() + m * pairs.count, angles.sin.f32() + m * pairs.count, sign,
                   pairs, row);
      }
    });
  };
  rotate(ctx, x.f32(), 1, out.f32());
  if (Tape* tape = ctx.tape()) {
    tape->record([=](Context& c) {
      float* grad = tape->gradient(out.f32());
      rotate(c, grad, -1, grad);
      if (tape->share_gradient(out.f32(), x.f32())) return;
      float* to = tape->gradient(x.f32());
      for_row_blocks(c, x.rows(), [&](int64_t first, int64_t rows) {
        c.kernels().add_scaled(grad + first * n, rows * n, 1.0f, to + first * n);
      });
    });
  }
  return out;
}

}  // namespace minke
