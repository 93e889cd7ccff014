#include "math/ops/tape.h"

#include <cmath>
#include <cstring>

#include <gtest/gtest.h>

#include "math/ops/matmul.h"
#include "math/ops/test_context.h"

namespace minke {
namespace {

TEST(Tape, AGradientBeginsAsZerosAndKeepsItsPlace) {
  TestContext t;
  Tape tape(t.pool);
  constexpr int64_t kCount = 150'001;  // cleared by several tasks
  std::vector<float> first(kCount), second(5);
  for (int round = 0; round < 2; ++round) {
    tape.own(first.data(), kCount);
    tape.own(second.data(), 5);
    float* gradient = tape.gradient(first.data());
    for (int64_t i = 0; i < kCount; ++i) ASSERT_EQ(gradient[i], 0) << i;
    gradient[kCount - 1] = 3;
    EXPECT_EQ(tape.gradient(first.data()), gradient);
    EXPECT_EQ(tape.gradient(first.data() + 70'000), gradient + 70'000);
    EXPECT_EQ(*tape.gradient(first.data() + kCount - 1), 3);
    EXPECT_NE(tape.gradient(second.data()), gradient);
    std::fill_n(gradient, kCount, 1.0f);  // what the next round finds in its memory
    tape.clear();
  }
}

TEST(Tape, APlaceIsFreshUntilSomethingIsAdded) {
  TestContext t;
  Tape tape(t.pool);
  float a[3], b[3];
  tape.own(a, 3);
  tape.own(b, 3);
  const Tape::Place place = tape.place(a);
  EXPECT_TRUE(place.fresh);
  EXPECT_FALSE(tape.place(a).fresh);
  EXPECT_EQ(tape.place(a).values, place.values);
  EXPECT_EQ(tape.gradient(a + 2), place.values + 2);
  EXPECT_EQ(*tape.gradient(b), 0);
  EXPECT_FALSE(tape.place(b).fresh);
  tape.clear();
  tape.own(a, 3);
  EXPECT_TRUE(tape.place(a).fresh);
}

TEST(Tape, AGradientIsSharedUnlessTheOtherHasOne) {
  TestContext t;
  Tape tape(t.pool);
  float a[4], b[4], c[4];
  for (float* x : {a, b, c}) tape.own(x, 4);
  tape.gradient(a)[1] = 5;
  EXPECT_TRUE(tape.share_gradient(a, b));
  EXPECT_EQ(tape.gradient(b), tape.gradient(a));
  EXPECT_EQ(tape.gradient(b)[1], 5);
  EXPECT_FALSE(tape.place(b).fresh);
  tape.gradient(c)[1] = 7;
  EXPECT_FALSE(tape.share_gradient(a, c));
  EXPECT_NE(tape.gradient(c), tape.gradient(a));
  EXPECT_EQ(tape.gradient(c)[1], 7);
  // Nothing was added to the first one: both begin as zeros.
  tape.clear();
  for (float* x : {a, b}) tape.own(x, 4);
  EXPECT_TRUE(tape.share_gradient(a, b));
  for (int i = 0; i < 4; ++i) EXPECT_EQ(tape.gradient(b)[i], 0);
}

TEST(Tape, StepsRunBackwardsAndOnce) {
  TestContext t;
  Tape tape(t.pool);
  std::vector<int> order;
  for (int i = 0; i < 3; ++i) tape.record([&order, i](Context&) { order.push_back(i); });
  tape.backward(t.ctx);
  EXPECT_EQ(order, (std::vector<int>{2, 1, 0}));
  tape.backward(t.ctx);
  EXPECT_EQ(order.size(), 3u);
  tape.record([&order](Context&) { order.push_back(9); });
  tape.clear();
  tape.backward(t.ctx);
  EXPECT_EQ(order.size(), 3u);
}

TEST(Tape, ClearKeepsTrackedWeightsOnly) {
  TestContext t;
  Tape tape(t.pool);
  const Tensor w = random_tensor({3, 4}, 1), other = random_tensor({3, 4}, 2);
  const Tensor gradient = Tensor::zeros(DType::kF32, w.shape);
  EXPECT_EQ(tape.weight_gradient(w), nullptr);
  tape.track(w, gradient);
  tape.balance.push_back({0, 1, 0.5});
  tape.loads.push_back({});
  tape.balance_loss = 2;
  tape.clear();
  EXPECT_EQ(tape.weight_gradient(w), gradient.f32());
  EXPECT_EQ(tape.weight_gradient(other), nullptr);
  EXPECT_TRUE(tape.balance.empty());
  EXPECT_TRUE(tape.loads.empty());
  EXPECT_EQ(tape.balance_loss, 0);
}

// y = x a^T and z = x b^T of activations that are prepared once; z is added to y.
struct Sum {
  Sum() : x(random_tensor({5, 9}, 1)), a(random_tensor({7, 9}, 2)), b(random_tensor({7, 9}, 3)) {}
  Tensor forward(Context& ctx) const {
    const Activations prepared = prepare(ctx, x, {&a, &b});
    Tensor y = linear(ctx, prepared, a);
    add_to(ctx, y, linear(ctx, prepared, b));
    return y;
  }
  // The gradient of x, from ones.
  std::vector<float> backward(TestContext& t, Tape& tape) const {
    t.ctx.reset();
    t.ctx.set_tape(&tape);
    tape.own(x.f32(), x.shape.elements());
    const Tensor y = forward(t.ctx);
    std::fill_n(tape.gradient(y.f32()), y.shape.elements(), 1.0f);
    t.ctx.set_tape(nullptr);
    tape.backward(t.ctx);
    const float* gradient = tape.gradient(x.f32());
    return {gradient, gradient + x.shape.elements()};
  }
  Tensor x, a, b;
};

TEST(Tape, PassesInARowAddToWeightsOnly) {
  TestContext t;
  Tape tape(t.pool);
  const Sum sum;
  const Tensor gradient = Tensor::zeros(DType::kF32, sum.a.shape);
  tape.track(sum.a, gradient);
  const std::vector<float> first = sum.backward(t, tape);
  const std::vector<float> once = values(gradient);
  tape.clear();
  EXPECT_EQ(sum.backward(t, tape), first);
  for (size_t i = 0; i < once.size(); ++i) {
    EXPECT_NEAR(gradient.f32()[i], 2 * once[i], 1e-5);
    EXPECT_NE(once[i], 0);
  }
}

TEST(Tape, GradientsPassThroughConstants) {
  TestContext t;
  const Sum sum;
  Tape constants(t.pool), tracked(t.pool);
  const Tensor a = Tensor::zeros(DType::kF32, sum.a.shape);
  const Tensor b = Tensor::zeros(DType::kF32, sum.b.shape);
  tracked.track(sum.a, a);
  tracked.track(sum.b, b);
  const std::vector<float> through = sum.backward(t, constants);
  EXPECT_EQ(sum.backward(t, tracked), through);
  // The gradient of sum_m,n (x a^T + x b^T)[m, n] is the same in all rows: the columns' sums.
  for (int64_t k = 0; k < 9; ++k) {
    double expected = 0, column = 0;
    for (int64_t n = 0; n < 7; ++n) {
      expected += static_cast<double>(sum.a.f32()[n * 9 + k]) + sum.b.f32()[n * 9 + k];
    }
    for (int64_t m = 0; m < 5; ++m) {
      EXPECT_NEAR(through[static_cast<size_t>(m * 9 + k)], expected, 1e-5);
      column += sum.x.f32()[m * 9 + k];
    }
    for (int64_t n = 0; n < 7; ++n) EXPECT_NEAR(a.f32()[n * 9 + k], column, 1e-5);
  }
  EXPECT_EQ(values(a), values(b));
}

// Three parts, recomputed or not, and operations between them: one part that adds in place, one
// that puts something else in its operand's place, one whose operand is used again behind it.
struct Parts {
  Tensor forward(Context& ctx) const {
    Tensor y = rms_norm(ctx, x, norm, 1e-6f);
    run(ctx, y, [this](Context& c, Tensor& z) { add_to(c, z, swiglu(c, z, a, b)); });
    run(ctx, y, [this](Context& c, Tensor& z) { z = linear(c, rms_norm(c, z, norm, 1e-6f), a); });
    note_router(ctx, 1);
    const Tensor between = y;
    run(ctx, y, [this](Context& c, Tensor& z) {
      note_router(c, 2);
      note_router(c, 3);
      add_to(c, z, linear(c, z, b));
    });
    run(ctx, y, [this](Context& c, Tensor& z) {
      note_router(c, 4);
      z = swiglu(c, z, b, a);
    });
    note_router(ctx, 5);
    add_to(ctx, y, between);
    return y;
  }

  void run(Context& ctx, Tensor& y, const Tape::Part& part) const {
    if (ctx.tape() != nullptr && ctx.tape()->recompute) {
      ctx.tape()->run_recomputable(ctx, y, part);
    } else {
      part(ctx, y);
    }
  }

  void note_router(Context& ctx, int64_t tokens) const {
    if (ctx.tape() != nullptr) ctx.tape()->loads.push_back({nullptr, {tokens}});
  }

  Tensor x = random_tensor({5, 8}, 1), a = random_tensor({8, 8}, 2), b = random_tensor({8, 8}, 3);
  Tensor norm = random_tensor({8}, 4);
};

TEST(Tape, RecomputedPartsHaveTheSameBits) {
  TestContext t;
  const Parts parts;
  std::vector<std::vector<float>> expected;
  for (const bool recompute : {false, true, true}) {
    Tape tape(t.pool);
    tape.recompute = recompute;
    std::vector<Tensor> gradients;
    for (const Tensor& w : {parts.a, parts.b, parts.norm}) {
      gradients.push_back(Tensor::zeros(DType::kF32, w.shape));
      tape.track(w, gradients.back());
    }
    t.ctx.reset();
    t.ctx.set_tape(&tape);
    tape.own(parts.x.f32(), parts.x.shape.elements());
    const Tensor y = parts.forward(t.ctx);
    std::vector<std::vector<float>> found = {values(y)};
    const Tensor from = random_tensor(y.shape, 5);
    std::copy_n(from.f32(), from.shape.elements(), tape.gradient(y.f32()));
    t.ctx.set_tape(nullptr);
    tape.backward(t.ctx);
    const float* gradient = tape.gradient(parts.x.f32());
    found.emplace_back(gradient, gradient + parts.x.shape.elements());
    for (const Tensor& g : gradients) found.push_back(values(g));
    if (expected.empty()) expected = found;
    for (size_t i = 0; i < found.size(); ++i) {
      EXPECT_EQ(std::memcmp(found[i].data(), expected[i].data(), found[i].size() * sizeof(float)),
                0)
          << i;
      EXPECT_NE(found[i], std::vector<float>(found[i].size())) << i;
    }
    ASSERT_EQ(tape.loads.size(), 5u);
    for (int64_t i = 0; i < 5; ++i) EXPECT_EQ(tape.loads[static_cast<size_t>(i)].tokens[0], i + 1);
  }
}

TEST(Tape, RecomputedPartsHoldTheMemoryOfOne) {
  const Tensor x = random_tensor({256, 64}, 1), up = random_tensor({512, 64}, 2);
  const Tensor down = random_tensor({64, 512}, 3);
  const auto held = [&](bool recompute, int parts) {
    TestContext t;
    Tape tape(t.pool);
    tape.recompute = recompute;
    t.ctx.set_tape(&tape);
    tape.own(x.f32(), x.shape.elements());
    Tensor y = x;
    for (int i = 0; i < parts; ++i) {
      Parts().run(t.ctx, y, [&](Context& c, Tensor& z) {
        add_to(c, z, linear(c, swiglu(c, z, up, up), down));
      });
    }
    tape.gradient(y.f32())[0] = 1;
    t.ctx.set_tape(nullptr);
    tape.backward(t.ctx);
    return t.ctx.arena().capacity() + tape.capacity();
  };
  // All operands stay, 64 KiB each, and of one part at a time what it computed: three activations
  // of 512 KiB, scratch and gradients.
  EXPECT_GT(held(false, 16), 4 * held(true, 16));
  EXPECT_LT(held(true, 16), 2 * held(true, 4));
}

}  // namespace
}  // namespace minke
