#include <cmath>
#include <functional>

#include <gtest/gtest.h>

#include "math/ops/matmul.h"
#include "math/ops/tape.h"
#include "math/ops/test_context.h"

// The ops' gradients against differences of their results, and their bits.

namespace minke {
namespace {

// A function of activations and weights made of ops.
struct Problem {
  std::vector<Tensor> inputs, weights;
  std::function<Tensor(Context&)> forward;
  DType type = DType::kF32;  // of matrices

  Tensor input(const Shape& shape, double deviation = 1) {
    inputs.push_back(random_tensor(shape, 100 + inputs.size(), deviation));
    return inputs.back();
  }
  Tensor weight(const Shape& shape, double deviation = 0.3) {
    const Tensor t = random_tensor(shape, 200 + weights.size(), deviation);
    weights.push_back(shape.rank() == 1 ? t : encode_tensor(t, type));
    return weights.back();
  }
};

struct Gradients {
  Tensor out;
  std::vector<Tensor> inputs, weights;
};

// F32 values in memory of their own.
Tensor copy(const float* from, const Shape& shape) {
  const Tensor to = Tensor::zeros(DType::kF32, shape);
  std::copy_n(from, shape.elements(), to.f32());
  return to;
}

// From a random gradient of the result.
Tensor result_gradient(const Shape& shape) {
  return random_tensor(shape, 300);
}

Gradients gradients(TestContext& t, const Problem& p) {
  Gradients g;
  Tape tape(t.pool);
  t.ctx.reset();
  t.ctx.set_tape(&tape);
  for (const Tensor& x : p.inputs) tape.own(x.f32(), x.shape.elements());
  for (const Tensor& w : p.weights) {
    g.weights.push_back(Tensor::zeros(DType::kF32, w.shape));
    tape.track(w, g.weights.back());
  }
  const Tensor out = p.forward(t.ctx);
  const Tensor from = result_gradient(out.shape);
  std::copy_n(from.f32(), from.shape.elements(), tape.gradient(out.f32()));
  t.ctx.set_tape(nullptr);
  tape.backward(t.ctx);
  g.out = copy(out.f32(), out.shape);
  for (const Tensor& x : p.inputs) g.inputs.push_back(copy(tape.gradient(x.f32()), x.shape));
  return g;
}

// The sum that result_gradient() is the gradient of.
double objective(TestContext& t, const Problem& p) {
  t.ctx.reset();
  const Tensor out = p.forward(t.ctx);
  const Tensor factors = result_gradient(out.shape);
  double sum = 0;
  for (int64_t i = 0; i < out.shape.elements(); ++i) {
    sum += static_cast<double>(out.f32()[i]) * factors.f32()[i];
  }
  return sum;
}

// The derivative of the objective after `value`, by differences of fourth order. A step of 1/16
// makes their error, h^4 / 30 of the fifth derivative, about as small as float32's roundings.
double difference(TestContext& t, const Problem& p, float& value) {
  constexpr double kStep = 1.0 / 16;
  const float kept = value;
  const auto at = [&](int steps) {
    value = kept + static_cast<float>(steps * kStep);
    const double result = objective(t, p);
    value = kept;
    return result;
  };
  return (8 * (at(1) - at(-1)) - (at(2) - at(-2))) / (12 * kStep);
}

constexpr double kTolerance = 1e-3;  // of the largest derivative of a tensor

void expect_derivatives(TestContext& t, const Problem& p, const Tensor& of, const Tensor& found,
                        const std::string& what) {
  // Some of a large tensor, all of a small one.
  const int64_t count = of.shape.elements(), step = std::max<int64_t>(1, count / 61);
  double largest = 0, worst = 0;
  for (int64_t i = 0; i < count; i += step) {
    const double expected = difference(t, p, of.f32()[i]);
    largest = std::max(largest, std::abs(expected));
    worst = std::max(worst, std::abs(expected - found.f32()[i]));
  }
  EXPECT_GT(largest, 0) << what;
  EXPECT_LT(worst, kTolerance * largest) << what;
}

// x w^T + b.
Problem linear_problem(DType type, int64_t rows) {
  Problem p;
  p.type = type;
  const Tensor x = p.input({rows, 19}), w = p.weight({7, 19}), b = p.weight({7});
  p.forward = [=](Context& ctx) { return linear(ctx, x, w, b); };
  return p;
}

Problem rms_norm_problem(DType, int64_t rows) {
  Problem p;
  const Tensor x = p.input({rows, 21}, 2), w = p.weight({21}, 1);
  p.forward = [=](Context& ctx) { return rms_norm(ctx, x, w, 1e-5f); };
  return p;
}

Problem swiglu_problem(DType type, int64_t rows) {
  Problem p;
  p.type = type;
  const Tensor x = p.input({rows, 18}), gate = p.weight({11, 18}), up = p.weight({11, 18});
  p.forward = [=](Context& ctx) { return swiglu(ctx, x, gate, up); };
  return p;
}

// Experts of tokens that a router sends to them.
Problem moe_problem(DType type, int64_t rows, RouterScore score) {
  constexpr int64_t kExperts = 5, kDim = 14, kInner = 9;
  Problem p;
  p.type = type;
  const Tensor x = p.input({rows, kDim}), logits = p.input({rows, kExperts});
  // So far apart that no difference changes a choice.
  for (int64_t m = 0; m < rows; ++m) {
    for (int64_t e = 0; e < kExperts; ++e) {
      logits.f32()[m * kExperts + e] = 0.5f * static_cast<float>((2 * e + m) % kExperts) - 1.0f;
    }
  }
  Experts experts;
  for (int64_t e = 0; e < kExperts; ++e) {
    experts.gate.push_back(p.weight({kInner, kDim}));
    experts.up.push_back(p.weight({kInner, kDim}));
    experts.down.push_back(p.weight({kDim, kInner}));
  }
  RouterOptions options;
  options.top_k = 2;
  options.score = score;
  options.normalize = true;
  options.scale = 1.5f;
  p.forward = [=](Context& ctx) { return moe(ctx, x, route(ctx, logits, {}, options), experts); };
  return p;
}

Problem softmax_moe_problem(DType type, int64_t rows) {
  return moe_problem(type, rows, RouterScore::kSoftmax);
}

Problem sigmoid_moe_problem(DType type, int64_t rows) {
  return moe_problem(type, rows, RouterScore::kSigmoid);
}

// Two sequences, and one without rows; two query heads for each key.
Problem attention_problem(DType type, int64_t rows) {
  Problem p;
  constexpr int64_t kHeads = 4, kKvHeads = 2, kKeyDim = 6, kValueDim = 5;
  const Tensor q = p.input({rows, kHeads * kKeyDim}), k = p.input({rows, kKvHeads * kKeyDim});
  const Tensor v = p.input({rows, kKvHeads * kValueDim});
  p.forward = [=](Context& ctx) {
    Tensor keys = Tensor::zeros(type, k.shape), cached = Tensor::zeros(type, v.shape);
    store_values(ctx, k.f32(), k.shape.elements(), type, keys.data);
    store_values(ctx, v.f32(), v.shape.elements(), type, cached.data);
    if (Tape* tape = ctx.tape()) {
      tape->record([keys, cached](Context&) {});  // keeps what steps before it read
    }
    const Tensor out = ctx.activation({rows, kHeads * kValueDim});
    AttentionHeads a;
    a.heads = kHeads;
    a.kv_heads = kKvHeads;
    a.key_dim = a.key_head_stride = kKeyDim;
    a.value_dim = a.value_head_stride = kValueDim;
    a.key_stride = k.columns();
    a.value_stride = v.columns();
    a.type = type;
    a.scale = 0.4f;
    std::vector<AttentionSequence> sequences;
    for (const auto& [first, count] :
         {std::pair{int64_t{0}, rows / 3}, {rows / 3, rows - rows / 3}, {rows, int64_t{0}}}) {
      AttentionSequence& one = sequences.emplace_back();
      one.queries = q.f32() + first * q.columns();
      one.rows = count;
      one.keys = attention_chunks(keys.row(first), row_bytes(type, a.key_stride), count);
      one.values = attention_chunks(cached.row(first), row_bytes(type, a.value_stride), count);
      one.out = out.f32() + first * out.columns();
      one.key_source = k.f32() + first * k.columns();
      one.value_source = v.f32() + first * v.columns();
    }
    attention(ctx, a, sequences);
    return out;
  };
  return p;
}

// What a transformer's layer does with its state: it is added to, and its norm, prepared once, is
// multiplied several times.
Problem residual_problem(DType type, int64_t rows) {
  Problem p;
  p.type = type;
  const Tensor x = p.input({rows, 16}), norm = p.weight({16}, 1), a = p.weight({16, 16});
  const Tensor b = p.weight({16, 16}), gate = p.weight({12, 16}), up = p.weight({12, 16});
  const Tensor down = p.weight({16, 12});
  p.forward = [=](Context& ctx) {
    const Tensor h = rms_norm(ctx, x, norm, 1e-5f);
    const Activations prepared = prepare(ctx, h, {&a, &b, &gate, &up});
    Tensor state = ctx.activation(x.shape);
    std::fill_n(state.f32(), x.shape.elements(), 0.5f);
    add_to(ctx, state, x);
    add_to(ctx, state, linear(ctx, prepared, a));
    add_to(ctx, state, linear(ctx, prepared, b));
    // A second use of the state.
    const Tensor again = rms_norm(ctx, state, norm, 1e-5f);
    add_to(ctx, state, linear(ctx, swiglu(ctx, prepared, gate, up), down));
    add_to(ctx, state, again);
    return state;
  };
  return p;
}

struct Case {
  const char* name;
  Problem (*make)(DType type, int64_t rows);
};
const Case kCases[] = {
    {"linear", linear_problem},           {"rms_norm", rms_norm_problem},
    {"swiglu", swiglu_problem},           {"moe_softmax", softmax_moe_problem},
    {"moe_sigmoid", sigmoid_moe_problem}, {"attention", attention_problem},
    {"residual", residual_problem},
};

using Parameter = std::tuple<Case, Isa>;
class OpGradients : public testing::TestWithParam<Parameter> {
 protected:
  void SetUp() override {
    if (!machine_has(isa())) GTEST_SKIP() << "not a level of this machine";
  }
  static Problem make(DType type, int64_t rows) { return std::get<0>(GetParam()).make(type, rows); }
  static Isa isa() { return std::get<1>(GetParam()); }
};

TEST_P(OpGradients, AreDerivatives) {
  TestContext t(2, isa());
  for (const int64_t rows : {5, 41}) {
    const Problem p = make(DType::kF32, rows);
    const Gradients g = gradients(t, p);
    for (size_t i = 0; i < g.inputs.size(); ++i) {
      expect_derivatives(t, p, p.inputs[i], g.inputs[i], "input " + std::to_string(i));
    }
    for (size_t i = 0; i < g.weights.size(); ++i) {
      expect_derivatives(t, p, p.weights[i], g.weights[i], "weight " + std::to_string(i));
    }
  }
}

void expect_same(const std::vector<Tensor>& found, const std::vector<Tensor>& expected,
                 const char* what) {
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_TRUE(same_bits(found[i], expected[i])) << what << " " << i;
  }
}

TEST_P(OpGradients, ThreadsDoNotChangeABit) {
  for (const DType type : {DType::kF32, DType::kBF16}) {
    const Problem p = make(type, 150);
    TestContext one(1, isa());
    const Gradients expected = gradients(one, p);
    for (const int threads : {2, 3}) {
      TestContext t(threads, isa());
      const Gradients found = gradients(t, p);
      SCOPED_TRACE(testing::Message() << dtype_name(type) << ", " << threads << " threads");
      EXPECT_TRUE(same_bits(found.out, expected.out));
      expect_same(found.inputs, expected.inputs, "input");
      expect_same(found.weights, expected.weights, "weight");
    }
  }
}

TEST_P(OpGradients, ATapeDoesNotChangeTheResult) {
  TestContext t(2, isa());
  for (const DType type : {DType::kF32, DType::kBF16}) {
    const Problem p = make(type, 70);
    const Gradients g = gradients(t, p);
    t.ctx.reset();
    EXPECT_TRUE(same_bits(p.forward(t.ctx), g.out)) << dtype_name(type);
  }
}

double relative_difference(const Tensor& found, const Tensor& expected) {
  double apart = 0, norm = 0;
  for (int64_t i = 0; i < expected.shape.elements(); ++i) {
    const double a = found.f32()[i], b = expected.f32()[i];
    apart += (a - b) * (a - b);
    norm += b * b;
  }
  return std::sqrt(apart / norm);
}

// Weights, activations and gradients with eight significant bits err by at most 2^-8 of themselves
// each, which in sums mostly cancels.
TEST_P(OpGradients, OfBf16AreCloseToThoseOfFloats) {
  TestContext t(2, isa());
  const Problem halves = make(DType::kBF16, 60), floats = make(DType::kF32, 60);
  // The same values, in float32.
  for (size_t i = 0; i < halves.weights.size(); ++i) {
    const Tensor decoded = decode_tensor(halves.weights[i]);
    std::copy_n(decoded.f32(), decoded.shape.elements(), floats.weights[i].f32());
  }
  const Gradients found = gradients(t, halves), expected = gradients(t, floats);
  for (size_t i = 0; i < found.inputs.size(); ++i) {
    EXPECT_LT(relative_difference(found.inputs[i], expected.inputs[i]), 0.01) << "input " << i;
  }
  for (size_t i = 0; i < found.weights.size(); ++i) {
    EXPECT_LT(relative_difference(found.weights[i], expected.weights[i]), 0.01) << "weight " << i;
  }
}

INSTANTIATE_TEST_SUITE_P(All, OpGradients,
                         testing::Combine(testing::ValuesIn(kCases), testing::ValuesIn(kIsaLevels)),
                         [](const auto& tested) {
                           return std::string(std::get<0>(tested.param).name) + "_" +
                                  std::string(isa_name(std::get<1>(tested.param)));
                         });

}  // namespace
}  // namespace minke
