#include "learn/train/optimizer/optimizer.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include <gtest/gtest.h>

#include "base/core/json.h"
#include "base/core/rng.h"
#include "base/cpu/isa.h"
#include "learn/train/optimizer/orthogonalize.h"

namespace minke {
namespace {

constexpr const char* kGolden = MINKE_GOLDEN_DIR "/optimizer.json";

std::vector<float> floats(std::string_view hex) {
  std::vector<float> values(hex.size() / 8);
  for (size_t i = 0; i < values.size(); ++i) {
    uint32_t bits = 0;
    for (size_t byte = 0; byte < 4; ++byte) {
      const std::string digits(hex.substr(8 * i + 2 * byte, 2));
      bits |= static_cast<uint32_t>(std::stoul(digits, nullptr, 16)) << (8 * byte);
    }
    values[i] = std::bit_cast<float>(bits);
  }
  return values;
}

Tensor tensor_of(const Shape& shape, const std::vector<float>& values) {
  Tensor tensor = Tensor::zeros(DType::kF32, shape);
  std::memcpy(tensor.data, values.data(), values.size() * sizeof(float));
  return tensor;
}

Parameter parameter(std::string name, ParameterRole role, const Shape& shape, uint64_t seed) {
  Parameter p{std::move(name), role, Tensor::zeros(DType::kF32, shape),
              Tensor::zeros(DType::kF32, shape)};
  Rng rng(seed);
  for (int64_t i = 0; i < shape.elements(); ++i) {
    p.master.f32()[i] = static_cast<float>(rng.normal());
    p.gradient.f32()[i] = static_cast<float>(rng.normal());
  }
  return p;
}

// One of each role, some larger than a piece, none a multiple of anything.
std::vector<Parameter> model() {
  std::vector<Parameter> all;
  all.push_back(parameter("embed", ParameterRole::kEmbedding, {301, 127}, 1));
  all.push_back(parameter("up", ParameterRole::kMatrix, {75, 127}, 2));
  all.push_back(parameter("down", ParameterRole::kMatrix, {127, 75}, 3));
  all.push_back(parameter("router", ParameterRole::kRouter, {9, 127}, 4));
  all.push_back(parameter("norm", ParameterRole::kVector, {127}, 5));
  return all;
}

// Another gradient for every step.
void set_gradients(std::vector<Parameter>& parameters, int64_t step) {
  uint64_t seed = static_cast<uint64_t>(step) * 1000;
  for (Parameter& p : parameters) {
    Rng rng(++seed);
    for (int64_t i = 0; i < p.gradient.shape.elements(); ++i) {
      p.gradient.f32()[i] = static_cast<float>(0.1 * rng.normal());
    }
  }
}

void train(ThreadPool& pool, Optimizer& optimizer, std::vector<Parameter>& parameters,
           int64_t first, int64_t last) {
  for (int64_t step = first; step <= last; ++step) {
    set_gradients(parameters, step);
    clip_gradients(pool, parameters, 1.0);
    optimizer.step(pool, parameters, {.learning_rate = 0.01, .step = step});
  }
}

std::vector<uint8_t> bytes_of(const std::vector<Parameter>& parameters) {
  std::vector<uint8_t> bytes;
  for (const Parameter& p : parameters) {
    bytes.insert(bytes.end(), p.master.data, p.master.data + p.master.bytes());
  }
  return bytes;
}

OptimizerOptions options_for(OptimizerKind kind) {
  OptimizerOptions options;
  options.kind = kind;
  return options;
}

// Follows the golden cases of `list`; an element may differ by `tolerance` of its size or of 1.
void expect_golden(const char* list, OptimizerKind kind, double tolerance) {
  const Kernels kernels = select_kernels(chosen_isa());
  const JsonDocument golden = JsonDocument::read(kGolden);
  ThreadPool pool(2);
  int cases = 0;
  for (const auto entry : golden.root()[list].get_array()) {
    ++cases;
    std::vector<int64_t> dims;
    for (const auto dim : entry["shape"].get_array()) dims.push_back(int64_t(dim));
    bool decays = true;
    if (entry["decays"].error() == simdjson::SUCCESS) decays = bool(entry["decays"]);
    const Shape shape(dims);
    std::vector<Parameter> parameters = {
        {"w", decays ? ParameterRole::kMatrix : ParameterRole::kVector,
         tensor_of(shape, floats(std::string_view(entry["start"]))),
         Tensor::zeros(DType::kF32, shape)}};
    const auto optimizer = make_optimizer(options_for(kind), kernels, parameters);
    size_t step = 0;
    for (const auto gradient : entry["gradients"].get_array()) {
      parameters[0].gradient = tensor_of(shape, floats(std::string_view(gradient)));
      const double rate = entry["learning_rates"].at(step);
      optimizer->step(pool, parameters, {rate, static_cast<int64_t>(step) + 1});
      const auto expected = floats(std::string_view(entry["after"].at(step)));
      for (size_t i = 0; i < expected.size(); ++i) {
        const double allowed = tolerance * std::max(1.0, std::abs(double{expected[i]}));
        ASSERT_NEAR(parameters[0].master.f32()[i], expected[i], allowed)
            << list << " " << shape.to_string() << " step " << step << " element " << i;
      }
      ++step;
    }
  }
  EXPECT_GT(cases, 1);
}

TEST(Optimizer, AdamWFollowsTorch) {
  expect_golden("adamw", OptimizerKind::kAdamW, 3e-7);
}

TEST(Optimizer, MuonFollowsItsDefinition) {
  expect_golden("muon", OptimizerKind::kMuon, 2e-6);
}

TEST(Optimizer, ThreadsDoNotChangeABit) {
  const Kernels kernels = select_kernels(chosen_isa());
  for (const OptimizerKind kind : {OptimizerKind::kAdamW, OptimizerKind::kMuon}) {
    std::vector<uint8_t> expected;
    for (const int threads : {1, 3}) {
      ThreadPool pool(threads);
      std::vector<Parameter> parameters = model();
      const auto optimizer = make_optimizer(options_for(kind), kernels, parameters);
      train(pool, *optimizer, parameters, 1, 4);
      if (expected.empty()) expected = bytes_of(parameters);
      EXPECT_EQ(bytes_of(parameters), expected) << threads;
    }
  }
}

TEST(Optimizer, GoesOnFromASavedStateAsIfItHadNotStopped) {
  const Kernels kernels = select_kernels(chosen_isa());
  ThreadPool pool(2);
  for (const OptimizerKind kind : {OptimizerKind::kAdamW, OptimizerKind::kMuon}) {
    std::vector<Parameter> straight = model(), stopped = model();
    const auto whole = make_optimizer(options_for(kind), kernels, straight);
    train(pool, *whole, straight, 1, 6);

    const auto before = make_optimizer(options_for(kind), kernels, stopped);
    train(pool, *before, stopped, 1, 3);
    std::vector<std::pair<std::string, Tensor>> saved;
    before->visit_state(
        [&](const std::string& name, Tensor& state) { saved.emplace_back(name, state); });
    const auto after = make_optimizer(options_for(kind), kernels, stopped);
    size_t next = 0;
    after->visit_state([&](const std::string& name, Tensor& state) {
      ASSERT_LT(next, saved.size());
      EXPECT_EQ(name, saved[next].first);
      ASSERT_EQ(state.shape, saved[next].second.shape);
      std::memcpy(state.data, saved[next++].second.data, static_cast<size_t>(state.bytes()));
    });
    EXPECT_EQ(next, saved.size());
    train(pool, *after, stopped, 4, 6);
    EXPECT_EQ(bytes_of(stopped), bytes_of(straight));
  }
}

TEST(Optimizer, StateOfMuonIsOneTensorAMatrix) {
  const std::vector<Parameter> parameters = model();
  const Kernels kernels = select_kernels(chosen_isa());
  const auto optimizer = make_optimizer(options_for(OptimizerKind::kMuon), kernels, parameters);
  std::vector<std::string> names;
  optimizer->visit_state([&](const std::string& name, Tensor&) { names.push_back(name); });
  const std::vector<std::string> expected = {
      "embed.first_moment",  "embed.second_moment",  "up.momentum",       "down.momentum",
      "router.first_moment", "router.second_moment", "norm.first_moment", "norm.second_moment"};
  EXPECT_EQ(names, expected);
}

TEST(Orthogonalizer, BringsSingularValuesNearOne) {
  const Kernels kernels = select_kernels(chosen_isa());
  Orthogonalizer orthogonalizer(kernels);
  Parameter p = parameter("w", ParameterRole::kMatrix, {48, 160}, 7);
  float* const m = p.master.f32();
  orthogonalizer.run(m, 48, 160);
  // The squares of the singular values are the eigenvalues of m m^T, which lie between the least
  // and the largest Rayleigh quotient.
  Rng rng(8);
  for (int trial = 0; trial < 20; ++trial) {
    std::vector<double> v(48);
    double length = 0, image = 0;
    for (double& value : v) {
      value = rng.normal();
      length += value * value;
    }
    for (int64_t c = 0; c < 160; ++c) {
      double sum = 0;
      for (size_t r = 0; r < 48; ++r) sum += v[r] * m[static_cast<int64_t>(r) * 160 + c];
      image += sum * sum;
    }
    EXPECT_GT(image / length, 0.4);
    EXPECT_LT(image / length, 1.5);
  }
}

TEST(Orthogonalizer, ZerosStayZeros) {
  const Kernels kernels = select_kernels(chosen_isa());
  Orthogonalizer orthogonalizer(kernels);
  std::vector<float> zeros(20 * 30, 0.0f);
  orthogonalizer.run(zeros.data(), 20, 30);
  for (const float value : zeros) EXPECT_EQ(value, 0.0f);
}

TEST(ClipGradients, ScalesToTheLargestNormOnly) {
  ThreadPool pool(2);
  std::vector<Parameter> parameters;
  parameters.push_back(parameter("a", ParameterRole::kMatrix, {1, 2}, 1));
  parameters.push_back(parameter("b", ParameterRole::kVector, {1}, 2));
  const auto set = [&] {
    parameters[0].gradient.f32()[0] = 2;
    parameters[0].gradient.f32()[1] = -3;
    parameters[1].gradient.f32()[0] = 6;
  };
  set();
  EXPECT_EQ(gradient_norm(pool, parameters), 7.0);
  EXPECT_EQ(clip_gradients(pool, parameters, 7.0), 7.0);
  EXPECT_EQ(parameters[0].gradient.f32()[1], -3.0f);
  EXPECT_EQ(clip_gradients(pool, parameters, 3.5), 7.0);
  EXPECT_EQ(parameters[0].gradient.f32()[0], 1.0f);
  EXPECT_EQ(parameters[0].gradient.f32()[1], -1.5f);
  EXPECT_EQ(parameters[1].gradient.f32()[0], 3.0f);
}

TEST(ClipGradients, TellsOfNumbersThatAreNone) {
  ThreadPool pool(2);
  std::vector<Parameter> parameters = model();
  const float first = parameters[0].gradient.f32()[0];
  parameters[1].gradient.f32()[5] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(std::isnan(clip_gradients(pool, parameters, 1e-3)));
  EXPECT_EQ(parameters[0].gradient.f32()[0], first);
  parameters[1].gradient.f32()[5] = std::numeric_limits<float>::infinity();
  EXPECT_TRUE(std::isinf(clip_gradients(pool, parameters, 1e-3)));
  EXPECT_EQ(parameters[0].gradient.f32()[0], first);
}

TEST(ClipGradients, NormDoesNotDependOnThreads) {
  std::vector<Parameter> parameters = model();
  ThreadPool one(1), three(3);
  EXPECT_EQ(gradient_norm(one, parameters), gradient_norm(three, parameters));
}

}  // namespace
}  // namespace minke
