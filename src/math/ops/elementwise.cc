#include <cstring>
#include <vector>

#include "base/core/check.h"
#include "math/ops/matmul.h"
#include "math/ops/ops.h"
#include "math/ops/tape.h"

namespace minke {
namespace {

// Columns that one task of a sum over rows takes.
constexpr int64_t kColumns = 64;

// Rows of which rms_norm's backward pass sums the weight's gradient at a time.
constexpr int64_t kNormRows = 64;

void rms_norm_backward(Context& ctx, const Tensor& x, const Tensor& w, float eps,
                       const float* out_grad, float* x_grad, float* w_grad) {
  const int64_t n = x.columns(), blocks = (x.rows() + kNormRows - 1) / kNormRows;
  float* sums = ctx.arena().allocate<float>(blocks * n);
  ctx.pool().parallel_for(blocks, [&](int64_t block, int) {
    float* sum = sums + block * n;
    std::memset(sum, 0, static_cast<size_t>(n) * sizeof(float));
    const int64_t end = std::min(x.rows(), (block + 1) * kNormRows);
    for (int64_t m = block * kNormRows; m < end; ++m) {
      ctx.kernels().rms_norm_backward(x.f32() + m * n, w.f32(), out_grad + m * n, n, eps,
                                      x_grad + m * n, sum);
    }
  });
  if (w_grad == nullptr) return;
  for (int64_t block = 0; block < blocks; ++block) {
    ctx.kernels().add_scaled(sums + block * n, n, 1.0f, w_grad);
  }
}

}  // namespace

Tensor embedding(Context& ctx, const Tensor& table, std::span<const int32_t> tokens) {
  const auto rows = static_cast<int64_t>(tokens.size());
  const int64_t n = table.columns();
  Tensor out = ctx.activation({rows, n});
  for (const int32_t token : tokens) CHECK(token >= 0 && token < table.rows());
  for_row_blocks(ctx, rows, [&](int64_t first, int64_t count) {
    for (int64_t m = first; m < first + count; ++m) {
      decode_weight_row(ctx.kernels(), table, tokens[static_cast<size_t>(m)], out.f32() + m * n);
    }
  });
  Tape* tape = ctx.tape();
  float* table_grad = tape == nullptr ? nullptr : tape->weight_gradient(table);
  if (table_grad == nullptr) return out;
  tape->record([=, list = std::vector(tokens.begin(), tokens.end())](Context& c) {
    const float* grad = tape->gradient(out.f32());
    c.pool().parallel_for((n + kColumns - 1) / kColumns, [&](int64_t task, int) {
      const int64_t first = task * kColumns, count = std::min(kColumns, n - first);
      for (size_t m = 0; m < list.size(); ++m) {
        c.kernels().add_scaled(grad + static_cast<int64_t>(m) * n + first, count, 1.0f,
                               table_grad + list[m] * n + first);
      }
    });
  });
  return out;
}

void add_to(Context& ctx, Tensor& x, const Tensor& y) {
  CHECK(x.shape == y.shape);
  Tape* tape = ctx.tape();
  const Tensor before = x;
  if (tape != nullptr) x = ctx.activation(x.shape);
  const int64_t n = x.columns();
  for_row_blocks(ctx, x.rows(), [&](int64_t first, int64_t count) {
    const float* a = before.f32();
    const float* b = y.f32();
    float* to = x.f32();
    for (int64_t i = first * n; i < (first + count) * n; ++i) to[i] = a[i] + b[i];
  });
  if (tape == nullptr) return;
  tape->record([tape, before, y, after = x, n](Context& c) {
    const float* grad = tape->gradient(after.f32());
    const Tape::Place added = tape->place(y.f32());
    // Nobody looks at the sum's gradient after this.
    const bool shared = tape->share_gradient(after.f32(), before.f32());
    float* kept = shared ? nullptr : tape->gradient(before.f32());
    for_row_blocks(c, after.rows(), [&](int64_t first, int64_t count) {
      const float* from = grad + first * n;
      if (added.fresh) {
        std::copy_n(from, count * n, added.values + first * n);
      } else {
        c.kernels().add_scaled(from, count * n, 1.0f, added.values + first * n);
      }
      if (kept != nullptr) c.kernels().add_scaled(from, count * n, 1.0f, kept + first * n);
    });
  });
}

Tensor rms_norm(Context& ctx, const Tensor& x, const Tensor& w, float eps) {
  const int64_t n = x.columns();
  CHECK(w.shape.elements() == n);
  Tensor out = ctx.activation(x.shape);
  ctx.pool().parallel_for(x.rows(), [&](int64_t m, int) {
    ctx.kernels().rms_norm(x.f32() + m * n, w.f32(), n, eps, out.f32() + m * n);
  });
  if (Tape* tape = ctx.tape()) {
    tape->record([=](Context& c) {
      rms_norm_backward(c, x, w, eps, tape->gradient(out.f32()), tape->gradient(x.f32()),
                        tape->weight_gradient(w));
    });
  }
  return out;
}

Tensor select_rows(Context& ctx, const Tensor& x, std::span<const int32_t> rows) {
  const int64_t n = x.columns();
  Tensor out = ctx.activation({static_cast<int64_t>(rows.size()), n});
  for (size_t i = 0; i < rows.size(); ++i) {
    CHECK(rows[i] >= 0 && rows[i] < x.rows());
    std::memcpy(out.f32() + static_cast<int64_t>(i) * n, x.f32() + rows[i] * n,
                static_cast<size_t>(n) * sizeof(float));
  }
  if (Tape* tape = ctx.tape()) {
    tape->record([=, list = std::vector(rows.begin(), rows.end())](Context& c) {
      const float* grad = tape->gradient(out.f32());
      float* to = tape->gradient(x.f32());
      for (size_t i = 0; i < list.size(); ++i) {
        c.kernels().add_scaled(grad + static_cast<int64_t>(i) * n, n, 1.0f, to + list[i] * n);
      }
    });
  }
  return out;
}

Tensor select_columns(Context& ctx, const Tensor& x, int64_t first, int64_t count) {
  CHECK(first >= 0 && count >= 0 && first + count <= x.columns());
  Tensor out = ctx.activation({x.rows(), count});
  const int64_t n = x.columns();
  for_row_blocks(ctx, x.rows(), [&](int64_t row, int64_t rows) {
    for (int64_t m = row; m < row + rows; ++m) {
      std::memcpy(out.f32() + m * count, x.f32() + m * n + first,
                  static_cast<size_t>(count) * sizeof(float));
    }
  });
  if (Tape* tape = ctx.tape()) {
    tape->record([=](Context& c) {
      const float* grad = tape->gradient(out.f32());
      float* to = tape->gradient(x.f32());
      for_row_blocks(c, x.rows(), [&](int64_t row, int64_t rows) {
        for (int64_t m = row; m < row + rows; ++m) {
          c.kernels().add_scaled(grad + m * count, count, 1.0f, to + m * n + first);
        }
      });
    });
  }
  return out;
}

Tensor join_columns(Context& ctx, const Tensor& a, const Tensor& b) {
  CHECK(a.rows() == b.rows());
  Tensor out = ctx.activation({a.rows(), a.columns() + b.columns()});
  const int64_t n = out.columns();
  // Calls body(part, its values of row m, their place in row m of the whole).
  const auto for_parts = [a, b, n](Context& c, const auto& body) {
    for_row_blocks(c, a.rows(), [&](int64_t row, int64_t rows) {
      for (int64_t m = row; m < row + rows; ++m) {
        body(a, m * a.columns(), m * n);
        body(b, m * b.columns(), m * n + a.columns());
      }
    });
  };
  for_parts(ctx, [&](const Tensor& part, int64_t from, int64_t to) {
    std::copy_n(part.f32() + from, part.columns(), out.f32() + to);
  });
  if (Tape* tape = ctx.tape()) {
    tape->record([=](Context& c) {
      const float* grad = tape->gradient(out.f32());
      float* const a_grad = tape->gradient(a.f32());
      float* const b_grad = tape->gradient(b.f32());
      for_parts(c, [&](const Tensor& part, int64_t to, int64_t from) {
        c.kernels().add_scaled(grad + from, part.columns(), 1.0f,
                               (part.data == a.data ? a_grad : b_grad) + to);
      });
    });
  }
  return out;
}

}  // namespace minke
