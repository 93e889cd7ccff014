#include "model/convert/lora_adapter.h"

#include <cmath>
#include <fstream>

#include <gtest/gtest.h>

#include "model/convert/model_testing.h"

namespace minke {
namespace {

using testing::error_of;
using testing::random_matrix;
using testing::TempFolder;
using testing::to_write;

constexpr int64_t kRows = 6, kColumns = 10, kRank = 2;
const std::string kConfig =
    R"("peft_type":"LORA","r":2,"lora_alpha":8,"target_modules":["q_proj"],"bias":"none",)"
    R"("rank_pattern":{},"alpha_pattern":{},"use_dora":false)";
const std::string kModule = "model.layers.0.self_attn.q_proj";

struct Factors {
  Tensor a = random_matrix(kRank, kColumns, 1), b = random_matrix(kRows, kRank, 2);
};

// Writes an adapter of one pair, with more members of adapter_config.json, and other tensors.
void write_adapter(const TempFolder& folder, const std::string& config = kConfig,
                   std::vector<TensorToWrite> more = {}, const Factors& factors = {}) {
  std::ofstream(folder / "adapter_config.json") << "{" << config << "}";
  const std::string name = "base_model.model." + kModule;
  more.push_back(to_write(name + ".lora_A.weight", factors.a));
  more.push_back(to_write(name + ".lora_B.weight", factors.b));
  write_safetensors(folder / "adapter_model.safetensors", {}, more);
}

std::string refusal(const std::string& config, std::vector<TensorToWrite> more = {}) {
  const TempFolder folder;
  write_adapter(folder, config, std::move(more));
  return error_of([&] { const LoraAdapter adapter(folder / ""); });
}

TEST(LoraAdapter, AddsTheScaledProductToItsWeight) {
  const TempFolder folder;
  const Factors factors;
  write_adapter(folder);
  const LoraAdapter adapter(folder / "");
  EXPECT_FALSE(adapter.of("model.layers.1.self_attn.q_proj.weight", {kRows, kColumns}));
  const auto add = adapter.of(kModule + ".weight", {kRows, kColumns});
  ASSERT_TRUE(add);
  adapter.require_all_used();
  for (int64_t r = 0; r < kRows; ++r) {
    std::vector<float> row(kColumns, 0.5f);
    add(r, row.data());
    for (int64_t c = 0; c < kColumns; ++c) {
      double product = 0;
      for (int64_t k = 0; k < kRank; ++k) {
        product += double{factors.b.f32()[r * kRank + k]} * factors.a.f32()[k * kColumns + c];
      }
      EXPECT_NEAR(row[static_cast<size_t>(c)], 0.5 + 8.0 / 2 * product, 1e-5);
    }
  }
}

TEST(LoraAdapter, ARootOfTheRankScalesWhereTheConfigurationSaysSo) {
  const TempFolder folder;
  const Factors factors;
  write_adapter(folder, kConfig + R"(,"use_rslora":true)");
  std::vector<float> row(kColumns);
  const LoraAdapter adapter(folder / "");
  adapter.of(kModule + ".weight", {kRows, kColumns})(0, row.data());
  const float product =
      factors.b.f32()[0] * factors.a.f32()[0] + factors.b.f32()[1] * factors.a.f32()[kColumns];
  EXPECT_NEAR(row[0], 8 / std::sqrt(2.0) * product, 1e-5);
}

TEST(LoraAdapter, WhatTheModelLacksOrHasInAnotherShapeIsAnError) {
  const TempFolder folder;
  write_adapter(folder);
  const LoraAdapter adapter(folder / "");
  EXPECT_NE(error_of([&] {
              adapter.require_all_used();
            }).find("weight '" + kModule + ".weight': expected a matrix of the model"),
            std::string::npos);
  EXPECT_NE(error_of([&] {
              adapter.of(kModule + ".weight", {kRows, kColumns + 1});
            }).find("expected factors of a matrix [6, 11], found B [6, 2] and A [2, 10]"),
            std::string::npos);
}

TEST(LoraAdapter, OtherKindsOfAdaptersAreRefused) {
  EXPECT_EQ(refusal(kConfig), "");
  const auto expect = [](const std::string& more, const std::string& said) {
    EXPECT_NE(refusal(kConfig + more).find(said), std::string::npos) << refusal(kConfig + more);
  };
  expect(R"(,"fan_in_fan_out":true)", "fan_in_fan_out: expected false, found true");
  EXPECT_NE(refusal(R"("peft_type":"IA3")").find("peft_type: expected LORA, found \"IA3\""),
            std::string::npos);
  EXPECT_NE(refusal(R"("r":0,"lora_alpha":1)").find("r: expected 1 to 65536, found 0"),
            std::string::npos);
  EXPECT_NE(refusal(R"("r":2)").find("lora_alpha: expected a number"), std::string::npos);
  EXPECT_NE(refusal(R"("r":3,"lora_alpha":1,"target_modules":["q_proj"])")
                .find("expected a factor of rank 3, found shape [2, 10]"),
            std::string::npos);
  EXPECT_NE(refusal(R"("r":2,"lora_alpha":1,"target_modules":["k_proj"])")
                .find("expected one of the target_modules"),
            std::string::npos);
  EXPECT_NE(refusal(R"("r":2,"lora_alpha":1,"target_modules":["q_proj","k_proj"])")
                .find("target_modules: \"k_proj\" has no tensors"),
            std::string::npos);
  EXPECT_NE(refusal(R"("r":2,"lora_alpha":1,"target_modules":["q_proj"],"rank_pattern":{"q":4})")
                .find("rank_pattern: expected an empty object"),
            std::string::npos);
}

TEST(LoraAdapter, TensorsThatAreNoPairAreRefused) {
  const auto with = [](const std::string& name) {
    return refusal(kConfig, {to_write(name, random_matrix(kRank, kColumns, 3))});
  };
  EXPECT_NE(
      with("base_model.model.lm_head.weight").find("tensor 'base_model.model.lm_head.weight'"),
      std::string::npos);
  EXPECT_NE(with("base_model.model.model.layers.1.self_attn.q_proj.lora_A.weight")
                .find("expected lora_A and lora_B, found lora_A alone"),
            std::string::npos);
}

}  // namespace
}  // namespace minke
