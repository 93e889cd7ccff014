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
void expect_golden(const char* list, OptimizerKind kind, const Kernels& kernels, double tolerance) {
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
  expect_golden("adamw", OptimizerKind::kAdamW, select_kernels(chosen_isa()), 3e-7);
}

// Four updates move elements by about 1e-3, of which a tenth is noise where products are of
// bfloat16 values.
TEST(Optimizer, MuonFollowsItsDefinition) {
  for (const Isa isa : kIsaLevels) {
    if (!machine_has(isa)) continue;
    const Kernels kernels = select_kernels(isa);
    const double tolerance = kernels.multiply_bf16 == nullptr ? 2e-6 : 2e-4;
    ASSERT_NO_FATAL_FAILURE(expect_golden("muon", OptimizerKind::kMuon, kernels, tolerance))
        << isa_name(isa);
  }
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

class OrthogonalizerTest : public testing::TestWithParam<Isa> {
 protected:
  void SetUp() override {
    if (!machine_has(GetParam())) GTEST_SKIP() << "not a level of this machine";
  }
};
INSTANTIATE_TEST_SUITE_P(Levels, OrthogonalizerTest, testing::ValuesIn(kIsaLevels),
                         [](const auto& level) { return std::string(isa_name(level.param)); });

// The squares of the singular values are the eigenvalues of m m^T (of m^T m where m is tall), which
// lie between the least and the largest Rayleigh quotient.
void expect_singular_values_near_one(const float* m, int64_t rows, int64_t columns) {
  const bool tall = rows > columns;
  const int64_t size = std::min(rows, columns), length = std::max(rows, columns);
  Rng rng(8);
  for (int trial = 0; trial < 20; ++trial) {
    std::vector<double> v(static_cast<size_t>(size));
    double square = 0, image = 0;
    for (double& value : v) {
      value = rng.normal();
      square += value * value;
    }
    for (int64_t c = 0; c < length; ++c) {
      double sum = 0;
      for (int64_t r = 0; r < size; ++r) {
        sum += v[static_cast<size_t>(r)] * (tall ? m[c * columns + r] : m[r * columns + c]);
      }
      image += sum * sum;
    }
    EXPECT_GT(image / square, 0.4) << rows << "x" << columns;
    EXPECT_LT(image / square, 1.5) << rows << "x" << columns;
  }
}

TEST_P(OrthogonalizerTest, BringsSingularValuesNearOne) {
  const Kernels kernels = select_kernels(GetParam());
  Orthogonalizer orthogonalizer(kernels);
  for (const auto& [rows, columns] :
       {std::pair<int64_t, int64_t>{48, 160}, {160, 48}, {33, 65}, {65, 33}, {1, 7}, {128, 256}}) {
    Parameter p = parameter("w", ParameterRole::kMatrix, {rows, columns}, 7);
    orthogonalizer.run(p.master.f32(), rows, columns);
    expect_singular_values_near_one(p.master.f32(), rows, columns);
  }
}

// What other matrices left in its memory changes nothing.
TEST_P(OrthogonalizerTest, DependsOnItsMatrixAlone) {
  const Kernels kernels = select_kernels(GetParam());
  Orthogonalizer used(kernels);
  Parameter large = parameter("w", ParameterRole::kMatrix, {70, 131}, 1);
  used.run(large.master.f32(), 70, 131);
  Parameter first = parameter("w", ParameterRole::kMatrix, {35, 51}, 2);
  Parameter second = parameter("w", ParameterRole::kMatrix, {35, 51}, 2);
  used.run(first.master.f32(), 35, 51);
  Orthogonalizer(kernels).run(second.master.f32(), 35, 51);
  for (int64_t i = 0; i < 35 * 51; ++i) ASSERT_EQ(first.master.f32()[i], second.master.f32()[i]);
}

TEST_P(OrthogonalizerTest, ZerosStayZeros) {
  const Kernels kernels = select_kernels(GetParam());
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
