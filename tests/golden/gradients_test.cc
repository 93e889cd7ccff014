#include <cmath>
#include <filesystem>

#include <fmt/core.h>
#include <gtest/gtest.h>

#include "base/cpu/isa.h"
#include "learn/train/model_parameters.h"
#include "learn/train/pass.h"
#include "math/ops/matmul.h"
#include "math/ops/tape.h"
#include "model/formats/open_checkpoint.h"

// Gradients of every op and of whole models against torch's (tools/reference/gradient_golden.py).

namespace minke {
namespace {

namespace fs = std::filesystem;

constexpr double kTolerance = 1e-4;  // of a gradient's norm

Checkpoint golden(const std::string& name) {
  Checkpoint checkpoint(Naming::kHuggingFace, Metadata(name));
  read_safetensors(fs::path(MINKE_GOLDEN_DIR) / "gradients" / (name + ".safetensors"), checkpoint);
  return checkpoint;
}

// |found - expected| / |expected|.
double relative_difference(const float* found, const Tensor& expected) {
  double difference = 0, norm = 0;
  for (int64_t i = 0; i < expected.shape.elements(); ++i) {
    const double d = static_cast<double>(found[i]) - expected.f32()[i];
    difference += d * d;
    norm += static_cast<double>(expected.f32()[i]) * expected.f32()[i];
  }
  return norm == 0 ? std::sqrt(difference) : std::sqrt(difference / norm);
}

std::vector<int32_t> integers(const Tensor& t) {
  return {t.f32(), t.f32() + t.shape.elements()};
}

// The tensors of one op, and a tape to compute it on, at one level.
class OpGradients : public testing::TestWithParam<Isa> {
 protected:
  OpGradients()
      : file_(golden("ops")),
        pool_(2),
        kernels_(select_kernels(GetParam())),
        ctx_(pool_, kernels_),
        tape_(pool_) {}

  void SetUp() override {
    if (!machine_has(GetParam())) GTEST_SKIP() << "the machine has not this level";
    ctx_.set_tape(&tape_);
  }

  Tensor stored(const std::string& name) const { return file_.find(op_ + "." + name).value(); }
  // A copy as an activation.
  Tensor input(const std::string& name) {
    const Tensor from = stored(name);
    const Tensor to = ctx_.activation(from.shape);
    std::copy_n(from.f32(), from.shape.elements(), to.f32());
    return to;
  }
  // A weight whose gradient is wanted.
  Tensor weight(const std::string& name) {
    const Tensor w = stored(name);
    gradients_.push_back(Tensor::zeros(DType::kF32, w.shape));
    tape_.track(w, gradients_.back());
    names_.push_back(name);
    return w;
  }
  // Runs the backward pass from `out`, and compares.
  void expect_gradients(const Tensor& out,
                        std::initializer_list<std::pair<const char*, Tensor>> inputs) {
    ASSERT_LT(relative_difference(out.f32(), stored("out")), kTolerance) << op_;
    const Tensor from = stored("out_grad");
    std::copy_n(from.f32(), from.shape.elements(), tape_.gradient(out.f32()));
    ctx_.set_tape(nullptr);
    tape_.backward(ctx_);
    for (const auto& [name, tensor] : inputs) {
      EXPECT_LT(
          relative_difference(tape_.gradient(tensor.f32()), stored(std::string(name) + "_grad")),
          kTolerance)
          << op_ << " " << name;
    }
    for (size_t i = 0; i < names_.size(); ++i) {
      EXPECT_LT(relative_difference(gradients_[i].f32(), stored(names_[i] + "_grad")), kTolerance)
          << op_ << " " << names_[i];
    }
  }

  Checkpoint file_;
  ThreadPool pool_;
  Kernels kernels_;
  Context ctx_;
  Tape tape_;
  std::string op_;
  std::vector<Tensor> gradients_;
  std::vector<std::string> names_;
};
INSTANTIATE_TEST_SUITE_P(Levels, OpGradients, testing::ValuesIn(kIsaLevels),
                         [](const auto& level) { return std::string(isa_name(level.param)); });

TEST_P(OpGradients, Linear) {
  op_ = "linear";
  const Tensor x = input("x");
  expect_gradients(linear(ctx_, x, weight("w"), weight("bias")), {{"x", x}});
}

TEST_P(OpGradients, RmsNorm) {
  op_ = "rms_norm";
  const Tensor x = input("x");
  expect_gradients(rms_norm(ctx_, x, weight("w"), 1e-6f), {{"x", x}});
}

TEST_P(OpGradients, Swiglu) {
  op_ = "swiglu";
  const Tensor x = input("x");
  expect_gradients(swiglu(ctx_, x, weight("gate"), weight("up")), {{"x", x}});
}

TEST_P(OpGradients, Embedding) {
  op_ = "embedding";
  expect_gradients(embedding(ctx_, weight("table"), integers(stored("tokens"))), {});
}

TEST_P(OpGradients, Rope) {
  for (const RopeLayout layout : {RopeLayout::kInterleaved, RopeLayout::kHalfSplit}) {
    op_ = layout == RopeLayout::kInterleaved ? "rope_interleaved" : "rope_half";
    ctx_.set_tape(&tape_);
    const Tensor x = input("x");
    expect_gradients(rope(ctx_, x, 16, {stored("cos"), stored("sin")}, layout), {{"x", x}});
  }
}

TEST_P(OpGradients, AdditionAndSelection) {
  // x + (rows 2, 0, 2 of columns 1..2 of x) by hand: y_m = x_m[1..2], z = y[2, 0, 2] + y[2, 0, 2].
  const Tensor x = ctx_.activation({3, 4});
  for (int i = 0; i < 12; ++i) x.f32()[i] = static_cast<float>(i);
  const Tensor y = select_columns(ctx_, x, 1, 2);
  const std::vector<int32_t> rows = {2, 0, 2};
  Tensor z = select_rows(ctx_, y, rows);
  add_to(ctx_, z, select_rows(ctx_, y, rows));
  EXPECT_EQ(z.f32()[0], 18);
  for (int i = 0; i < 6; ++i) tape_.gradient(z.f32())[i] = static_cast<float>(i + 1);
  const float* grad = tape_.gradient(x.f32());
  ctx_.set_tape(nullptr);
  tape_.backward(ctx_);
  const std::vector<float> expected = {0, 6, 8, 0, 0, 0, 0, 0, 0, 12, 16, 0};
  EXPECT_EQ(std::vector<float>(grad, grad + 12), expected);
}

TEST_P(OpGradients, Route) {
  for (const char* op : {"route_softmax", "route_softmax_normalised", "route_sigmoid"}) {
    op_ = op;
    ctx_.set_tape(&tape_);
    RouterOptions options;
    options.top_k = 3;
    options.scale = 1.5f;
    Tensor bias;
    options.normalize = op_ != "route_softmax";
    if (op_ == "route_sigmoid") {
      options.score = RouterScore::kSigmoid;
      options.scale = 2.5f;
      bias = stored("bias");
    }
    const Tensor logits = input("logits");
    const Routing routing = route(ctx_, logits, bias, options);
    EXPECT_EQ(routing.experts, integers(stored("chosen")));
    expect_gradients(routing.weights, {{"logits", logits}});
  }
}

TEST_P(OpGradients, BalanceLoss) {
  op_ = "route_balance";
  RouterOptions options;
  options.top_k = 3;
  options.score = RouterScore::kSigmoid;
  const Tensor logits = input("logits");
  int64_t first = 0;
  for (const int32_t rows : integers(stored("lengths"))) {
    tape_.balance.push_back({first, rows, 0.01});
    first += rows;
  }
  const Routing routing = route(ctx_, logits, {}, options);
  EXPECT_EQ(routing.experts, integers(stored("chosen")));
  const float* grad = tape_.gradient(logits.f32());
  ctx_.set_tape(nullptr);
  tape_.backward(ctx_);
  EXPECT_LT(relative_difference(grad, stored("logits_grad")), kTolerance);
  const Tensor loss = stored("loss");
  EXPECT_NEAR(tape_.balance_loss, loss.f32()[0] + loss.f32()[1], 1e-6);
}

TEST_P(OpGradients, Moe) {
  op_ = "moe";
  const Tensor x = input("x");
  Routing routing;
  routing.top_k = 3;
  routing.experts = integers(stored("chosen"));
  routing.weights = input("weights");
  Experts experts;
  const Tensor gate = stored("gate"), up = stored("up"), down = stored("down");
  const Tensor gate_grad = Tensor::zeros(DType::kF32, gate.shape);
  const Tensor up_grad = Tensor::zeros(DType::kF32, up.shape);
  const Tensor down_grad = Tensor::zeros(DType::kF32, down.shape);
  for (int64_t e = 0; e < gate.shape[0]; ++e) {
    experts.gate.push_back(gate[e]);
    experts.up.push_back(up[e]);
    experts.down.push_back(down[e]);
    tape_.track(gate[e], gate_grad[e]);
    tape_.track(up[e], up_grad[e]);
    tape_.track(down[e], down_grad[e]);
  }
  expect_gradients(moe(ctx_, x, routing, experts), {{"x", x}, {"weights", routing.weights}});
  EXPECT_LT(relative_difference(gate_grad.f32(), stored("gate_grad")), kTolerance);
  EXPECT_LT(relative_difference(up_grad.f32(), stored("up_grad")), kTolerance);
  EXPECT_LT(relative_difference(down_grad.f32(), stored("down_grad")), kTolerance);
}

TEST_P(OpGradients, Attention) {
  for (const char* op : {"attention_gqa", "attention_long"}) {
    op_ = op;
    ctx_.set_tape(&tape_);
    const Tensor q = input("q"), k = input("k"), v = input("v");
    const bool gqa = op_ == "attention_gqa";
    AttentionHeads a;
    a.heads = gqa ? 4 : 2;
    a.kv_heads = gqa ? 2 : 1;
    a.key_dim = a.key_head_stride = k.columns() / a.kv_heads;
    a.value_dim = a.value_head_stride = v.columns() / a.kv_heads;
    a.key_stride = k.columns();
    a.value_stride = v.columns();
    a.scale = static_cast<float>(1 / std::sqrt(static_cast<double>(a.key_dim)));
    const Tensor out = ctx_.activation(stored("out").shape);
    std::vector<AttentionSequence> sequences;
    int64_t first = 0;
    for (const int32_t rows : integers(stored("lengths"))) {
      const auto chunks = [&](const float* from, int64_t stride) {
        return attention_chunks(reinterpret_cast<const uint8_t*>(from),
                                row_bytes(DType::kF32, stride), rows);
      };
      AttentionSequence& s = sequences.emplace_back();
      s.queries = q.f32() + first * q.columns();
      s.rows = rows;
      s.key_source = k.f32() + first * k.columns();
      s.value_source = v.f32() + first * v.columns();
      s.keys = chunks(s.key_source, a.key_stride);
      s.values = chunks(s.value_source, a.value_stride);
      s.out = out.f32() + first * out.columns();
      first += rows;
    }
    attention(ctx_, a, sequences);
    expect_gradients(out, {{"q", q}, {"k", k}, {"v", v}});
  }
}

TEST_P(OpGradients, CrossEntropy) {
  op_ = "cross_entropy";
  const Tensor hidden = input("hidden"), head = weight("head");
  const auto targets = integers(stored("targets"));
  const std::vector<float> weights(targets.size(), 1.0f / 7.0f);
  std::vector<float> log_probabilities(targets.size());
  const double loss = cross_entropy(ctx_, hidden, head, targets, weights, log_probabilities);
  EXPECT_NEAR(loss, stored("loss").f32()[0], 1e-5);
  EXPECT_LT(relative_difference(log_probabilities.data(), stored("log_probabilities")), kTolerance);
  EXPECT_LT(relative_difference(tape_.gradient(hidden.f32()), stored("hidden_grad")), kTolerance);
  EXPECT_LT(relative_difference(gradients_[0].f32(), stored("head_grad")), kTolerance);
}

class ModelGradients : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(All, ModelGradients,
                         testing::Values("deepseek-v2-s0", "deepseek-v2-lite-s0", "deepseek-v3-s0",
                                         "deepseek-v3-mtp-s0", "llama-s0", "qwen2-s0", "qwen3-s0",
                                         "smollm-s0"),
                         [](const auto& name) {
                           std::string text = name.param;
                           std::replace(text.begin(), text.end(), '-', '_');
                           return text;
                         });

TEST_P(ModelGradients, MatchTheReferenceAtEveryLevel) {
  const Checkpoint expected = golden(GetParam());
  const Checkpoint checkpoint = open_checkpoint(fs::path(MINKE_GOLDEN_DIR) / "models" / GetParam());
  std::vector<int32_t> tokens, positions, targets, starts;
  int counted = 0;
  for (const char* name : {"tokens_a", "tokens_b"}) {
    const auto document = integers(expected.find(name).value());
    starts.push_back(static_cast<int32_t>(tokens.size()));
    for (size_t i = 0; i < document.size(); ++i) {
      tokens.push_back(document[i]);
      positions.push_back(static_cast<int32_t>(i));
      targets.push_back(i + 1 < document.size() ? document[i + 1] : -1);
      counted += i + 1 < document.size();
    }
  }
  const std::vector<float> weights(tokens.size(), 1.0f / static_cast<float>(counted));
  ThreadPool pool(2);
  for (const Isa isa : kIsaLevels) {
    if (!machine_has(isa)) continue;
    const auto model = load_model(checkpoint, /*prediction=*/expected.has("mtp_loss"));
    ASSERT_EQ(model->predicts(), expected.has("mtp_loss"));
    ModelParameters parameters(*model, DType::kF32);
    Pass pass(*model, pool, isa, DType::kF32, 64);
    parameters.track(pass.tape());
    PassInput input{tokens, positions, targets, starts, weights};
    // 0.3 times the mean over the tokens after the next.
    if (model->predicts()) input.prediction = 0.3f / static_cast<float>(counted - 2);
    const PassResult result = pass.train(input);
    EXPECT_NEAR(result.loss + result.prediction, expected.find("loss")->f32()[0], 1e-5)
        << isa_name(isa);
    double worst = 0;
    for (const Parameter& p : parameters.parameters()) {
      const auto gradient = expected.find(p.name);
      ASSERT_TRUE(gradient) << p.name;
      const double difference = relative_difference(p.gradient.f32(), *gradient);
      worst = std::max(worst, difference);
      EXPECT_LT(difference, kTolerance) << p.name << " at " << isa_name(isa);
    }
    testing::Test::RecordProperty(std::string(isa_name(isa)), fmt::format("{:.3g}", worst));
  }
}

}  // namespace
}  // namespace minke
