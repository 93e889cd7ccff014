#include <algorithm>
#include <numeric>

#include "base/core/check.h"
#include "math/ops/matmul.h"
#include "math/ops/ops.h"
#include "math/ops/tape.h"

namespace minke {
namespace {

// The (token, choice) pairs of a routing, sorted by expert and then by token.
struct Dispatch {
  std::vector<int32_t> token;  // [pairs] row of x
  std::vector<int32_t> place;  // [M, top_k] where the pair of a token's choice stands
  std::vector<int64_t> start;  // [E + 1] first pair of each expert
};

Dispatch dispatch(const Routing& routing, int64_t rows, int64_t expert_count) {
  const auto k = static_cast<size_t>(routing.top_k);
  const size_t pairs = static_cast<size_t>(rows) * k;
  CHECK(routing.experts.size() == pairs);
  Dispatch d;
  d.start.assign(static_cast<size_t>(expert_count) + 1, 0);
  for (const int32_t e : routing.experts) {
    CHECK(e >= 0 && e < expert_count);
    ++d.start[static_cast<size_t>(e) + 1];
  }
  std::partial_sum(d.start.begin(), d.start.end(), d.start.begin());
  d.token.resize(pairs);
  d.place.resize(pairs);
  std::vector<int64_t> next(d.start.begin(), d.start.end() - 1);
  for (size_t pair = 0; pair < pairs; ++pair) {
    const int64_t at = next[static_cast<size_t>(routing.experts[pair])]++;
    d.token[static_cast<size_t>(at)] = static_cast<int32_t>(pair / k);
    d.place[pair] = static_cast<int32_t>(at);
  }
  return d;
}

// One product for each expert that has tokens.
std::vector<ProductGroup> expert_groups(const std::vector<Tensor>& weights, const Dispatch& d) {
  std::vector<ProductGroup> groups;
  for (size_t e = 0; e < weights.size(); ++e) {
    const int64_t rows = d.start[e + 1] - d.start[e];
    if (rows > 0) groups.push_back({&weights[e], 0, weights[e].rows(), d.start[e], rows});
  }
  return groups;
}

// out_m = sum_j weights[m, j] * products[place[m, j]], in the order of j.
void combine(Context& ctx, const Tensor& weights, const std::vector<int32_t>& place,
             const Tensor& products, const Tensor& out) {
  const int64_t k = weights.columns(), dim = out.columns();
  for_row_blocks(ctx, out.rows(), [&](int64_t first, int64_t count) {
    for (int64_t m = first; m < first + count; ++m) {
      float* sum = out.f32() + m * dim;
      std::fill_n(sum, dim, 0.0f);
      for (int64_t pair = m * k; pair < (m + 1) * k; ++pair) {
        const float weight = weights.f32()[pair];
        const float* p = products.f32() + place[static_cast<size_t>(pair)] * dim;
        for (int64_t i = 0; i < dim; ++i) sum[i] += weight * p[i];
      }
    }
  });
  Tape* tape = ctx.tape();
  if (tape == nullptr) return;
  tape->record([=](Context& c) {
    const float* grad = tape->gradient(out.f32());
    float* weight_grad = tape->gradient(weights.f32());
    float* product_grad = tape->place(products.f32()).values;
    for_row_blocks(c, out.rows(), [&](int64_t first, int64_t count) {
      for (int64_t pair = first * k; pair < (first + count) * k; ++pair) {
        const float* g = grad + pair / k * dim;
        const int64_t at = place[static_cast<size_t>(pair)] * dim;
        float dot = 0;
        c.kernels().dot_f32(products.f32() + at, dim, 1, g, dim, 1, dim, &dot, 1);
        weight_grad[pair] += dot;
        const float weight = weights.f32()[pair];
        for (int64_t i = 0; i < dim; ++i) product_grad[at + i] = weight * g[i];
      }
    });
  });
}

}  // namespace

Tensor moe(Context& ctx, const Tensor& x, const Routing& routing, const Experts& experts) {
  return moe(ctx, prepare(ctx, x, {&experts.gate[0], &experts.up[0]}), routing, experts);
}

Tensor moe(Context& ctx, const Activations& x, const Routing& routing, const Experts& experts) {
  const auto count = static_cast<int64_t>(experts.gate.size());
  CHECK(experts.up.size() == experts.gate.size() && experts.down.size() == experts.gate.size());
  const int64_t rows = x.rows, dim = x.columns, inner = experts.gate[0].rows();
  const Dispatch d = dispatch(routing, rows, count);
  const auto pairs = static_cast<int64_t>(d.token.size());

  const Activations in = gather_rows(ctx, x, d.token);
  Tensor hidden = ctx.activation({pairs, inner});
  grouped_swiglu(ctx, expert_groups(experts.gate, d), expert_groups(experts.up, d), in,
                 hidden.f32(), inner);
  Tensor products = ctx.activation({pairs, dim});
  grouped_product(ctx, expert_groups(experts.down, d), prepare(ctx, hidden, {&experts.down[0]}),
                  products.f32(), dim);

  Tensor out = ctx.activation({rows, dim});
  combine(ctx, routing.weights, d.place, products, out);
  return out;
}

}  // namespace minke
