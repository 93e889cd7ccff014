#include <gtest/gtest.h>

#include "math/ops/test_context.h"

namespace minke {
namespace {

Experts random_experts(int64_t count, int64_t inner, int64_t dim, DType type) {
  Experts e;
  for (int64_t i = 0; i < count; ++i) {
    const auto seed = static_cast<uint64_t>(3 * i);
    e.gate.push_back(encode_tensor(random_tensor({inner, dim}, seed, 0.2), type));
    e.up.push_back(encode_tensor(random_tensor({inner, dim}, seed + 1, 0.2), type));
    e.down.push_back(encode_tensor(random_tensor({dim, inner}, seed + 2, 0.2), type));
  }
  return e;
}

TEST(Moe, IsTheWeightedSumOfItsExpertsForEveryToken) {
  TestContext t;
  const Experts experts = random_experts(5, 32, 64, DType::kF32);
  const Tensor x = random_tensor({7, 64}, 100);
  RouterOptions o;
  o.top_k = 2;
  const Routing routing = route(t.ctx, random_tensor({7, 5}, 101), {}, o);
  const Tensor y = moe(t.ctx, x, routing, experts);
  for (int64_t m = 0; m < 7; ++m) {
    std::vector<double> expected(64, 0);
    for (size_t j = 0; j < 2; ++j) {
      const auto pair = static_cast<size_t>(m) * 2 + j;
      const auto e = static_cast<size_t>(routing.experts[pair]);
      const Tensor h = swiglu(t.ctx, x.slice_rows(m, 1), experts.gate[e], experts.up[e]);
      const Tensor d = linear(t.ctx, h, experts.down[e]);
      for (size_t i = 0; i < 64; ++i) expected[i] += routing.weights.f32()[pair] * d.f32()[i];
    }
    for (size_t i = 0; i < 64; ++i)
      EXPECT_NEAR(y.f32()[m * 64 + static_cast<int64_t>(i)], expected[i], 1e-5);
  }
}

TEST(Moe, ATokenDoesNotDependOnItsCompanionsOrOnThreads) {
  const Experts experts = random_experts(6, 32, 64, DType::kQ4_0);
  const Tensor x = random_tensor({9, 64}, 100);
  RouterOptions o;
  o.top_k = 3;
  const Tensor logits = random_tensor({9, 6}, 101);
  for (const Phase phase : {Phase::kPrefill, Phase::kDecode}) {
    TestContext one(1), two(2);
    one.ctx.set_phase(phase);
    two.ctx.set_phase(phase);
    const Tensor all = moe(two.ctx, x, route(two.ctx, logits, {}, o), experts);
    EXPECT_TRUE(same_bits(moe(one.ctx, x, route(two.ctx, logits, {}, o), experts), all));
    for (int64_t m = 0; m < 9; ++m) {
      const Tensor alone =
          moe(two.ctx, x.slice_rows(m, 1), route(two.ctx, logits.slice_rows(m, 1), {}, o), experts);
      EXPECT_TRUE(same_bits(alone, all.slice_rows(m, 1)));
    }
  }
}

}  // namespace
}  // namespace minke
