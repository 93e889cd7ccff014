#include "learn/train/lora.h"

#include <cmath>
#include <cstring>

#include <gtest/gtest.h>

#include "base/core/error.h"
#include "base/core/rng.h"
#include "base/cpu/isa.h"
#include "learn/train/pass.h"
#include "model/formats/open_checkpoint.h"

namespace minke {
namespace {

const std::filesystem::path kModels = std::filesystem::path(MINKE_GOLDEN_DIR) / "models";

// A loaded model, adapted, and a document to compute its loss of.
struct Adapted {
  explicit Adapted(const LoraOptions& options, const char* name = "llama-s0")
      : model(load_model(open_checkpoint(kModels / name))),
        parameters(*model, DType::kF32, /*apart=*/true),
        lora(parameters, options, 1),
        pass(*model, pool, machine_isa(), DType::kF32, 16) {
    parameters.track(pass.tape());
    parameters.publish(pool, pass.kernels());
    lora.publish(pool, pass.kernels());
  }

  double loss(bool train) {
    const std::vector<int32_t> tokens = {3, 9, 27, 17, 51, 5, 15, 45};
    const std::vector<int32_t> positions = {0, 1, 2, 3, 4, 5, 6, 7};
    const std::vector<int32_t> targets = {9, 27, 17, 51, 5, 15, 45, 2};
    const std::vector<int32_t> starts = {0};
    const std::vector<float> weights(8, 0.125f);
    const PassInput input{tokens, positions, targets, starts, weights};
    return (train ? pass.train(input) : pass.evaluate(input)).loss;
  }

  ThreadPool pool{2};
  std::unique_ptr<Model> model;
  ModelParameters parameters;
  LoraAdapter lora;
  Pass pass;
};

TEST(Lora, BeginsAsTheModelItself) {
  Adapted adapted({.rank = 4, .alpha = 8, .targets = {"q_proj", "down_proj"}});
  const auto plain = load_model(open_checkpoint(kModels / "llama-s0"));
  ModelParameters parameters(*plain, DType::kF32);
  for (size_t i = 0; i < parameters.parameters().size(); ++i) {
    const Tensor& a = adapted.parameters.computed(i);
    const Tensor& b = parameters.computed(i);
    EXPECT_EQ(std::memcmp(a.data, b.data, static_cast<size_t>(a.bytes())), 0) << i;
  }
}

TEST(Lora, GradientsAreThoseOfFiniteDifferences) {
  Adapted adapted({.rank = 3, .alpha = 6, .targets = {}});
  // B begins as zeros, where A has no gradient.
  Rng rng(5);
  for (Parameter& p : adapted.lora.parameters()) {
    for (int64_t i = 0; i < p.master.shape.elements(); ++i) {
      p.master.f32()[i] += static_cast<float>(0.05 * rng.normal());
    }
  }
  adapted.lora.publish(adapted.pool, adapted.pass.kernels());
  adapted.parameters.clear_gradients(adapted.pool);
  adapted.loss(true);
  adapted.lora.collect_gradients(adapted.pool, adapted.pass.kernels());
  // Along a random direction in all of A and B at once.
  double expected = 0;
  std::vector<std::vector<float>> direction;
  for (const Parameter& p : adapted.lora.parameters()) {
    direction.emplace_back();
    for (int64_t i = 0; i < p.master.shape.elements(); ++i) {
      direction.back().push_back(static_cast<float>(rng.normal()));
      expected += static_cast<double>(p.gradient.f32()[i]) * direction.back().back();
    }
  }
  const auto loss_at = [&](float step) {
    for (size_t k = 0; k < direction.size(); ++k) {
      float* values = adapted.lora.parameters()[k].master.f32();
      for (size_t i = 0; i < direction[k].size(); ++i) values[i] += step * direction[k][i];
    }
    adapted.lora.publish(adapted.pool, adapted.pass.kernels());
    return adapted.loss(false);
  };
  constexpr float kStep = 1e-3f;
  const double above = loss_at(kStep), below = loss_at(-2 * kStep);
  EXPECT_NEAR((above - below) / (2 * kStep), expected, 0.01 * std::abs(expected) + 1e-3);
}

TEST(Lora, OnlyWhatTargetsNameIsTrained) {
  Adapted adapted({.rank = 2, .alpha = 2, .targets = {"v_proj"}});
  for (const Parameter& p : adapted.lora.parameters()) {
    EXPECT_NE(p.name.find("v_proj.lora_"), std::string::npos) << p.name;
  }
  adapted.loss(true);
  for (const Parameter& p : adapted.parameters.parameters()) {
    const bool touched = p.name.find("v_proj") != std::string::npos;
    double sum = 0;
    for (int64_t i = 0; i < p.gradient.shape.elements(); ++i) sum += std::abs(p.gradient.f32()[i]);
    EXPECT_EQ(sum > 0, touched) << p.name;
  }
  EXPECT_THROW(Adapted({.rank = 2, .alpha = 2, .targets = {"no_proj"}}), Error);
}

}  // namespace
}  // namespace minke
