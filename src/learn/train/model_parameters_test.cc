#include "learn/train/model_parameters.h"

#include <cmath>

#include <gtest/gtest.h>

#include "base/core/mapped_file.h"
#include "learn/train/model_folder.h"
#include "learn/train/recipe/recipe.h"
#include "learn/train/train_testing.h"
#include "math/quant/quant.h"
#include "model/formats/open_checkpoint.h"

namespace minke {
namespace {

struct Tiny {
  explicit Tiny(DType type)
      : checkpoint(
            Naming::kHuggingFace,
            parse_recipe(testing::tiny_model() + "[tokenizer]\npath = \"t\"\n[data]\ntasks = "
                                                 "[\"sums\"]\n[schedule]\nsteps = 1\n",
                         "tiny")
                .model.metadata("tiny")),
        model(make_model(checkpoint)),
        parameters(*model, type) {}

  Parameter& named(const std::string& name) {
    for (Parameter& p : parameters.parameters()) {
      if (p.name == name) return p;
    }
    fail(name, "no such parameter");
  }

  Checkpoint checkpoint;
  std::unique_ptr<Model> model;
  ModelParameters parameters;
};

constexpr const char* kDown = "model.layers.1.mlp.experts.3.down_proj.weight";

double deviation(const Parameter& p) {
  double squares = 0;
  const int64_t n = p.master.shape.elements();
  for (int64_t i = 0; i < n; ++i) squares += std::pow(p.master.f32()[i], 2);
  return std::sqrt(squares / static_cast<double>(n));
}

TEST(ModelParameters, FirstWeightsAreAsPromised) {
  Tiny tiny(DType::kF32);
  tiny.parameters.initialize(3, 2);
  EXPECT_NEAR(deviation(tiny.named("model.embed_tokens.weight")), 0.02, 0.001);
  EXPECT_NEAR(deviation(tiny.named(kDown)), 0.01, 0.001);  // 0.02 / sqrt(2 * 2)
  for (const char* name : {"model.norm.weight", "model.layers.0.input_layernorm.weight"}) {
    EXPECT_EQ(deviation(tiny.named(name)), 1.0) << name;
  }
  ASSERT_EQ(tiny.parameters.selection_biases().size(), 1u);
  EXPECT_EQ(tiny.parameters.selection_biases()[0].values.f32()[3], 0);
  EXPECT_EQ(tiny.named("model.layers.1.mlp.gate.weight").role, ParameterRole::kRouter);
  EXPECT_EQ(tiny.named(kDown).role, ParameterRole::kMatrix);
}

TEST(ModelParameters, SeedAndNameDecideAWeight) {
  Tiny a(DType::kF32), b(DType::kBF16), other(DType::kF32);
  a.parameters.initialize(3, 2);
  b.parameters.initialize(3, 2);
  other.parameters.initialize(4, 2);
  const auto first = [](Tiny& t, const char* name) { return t.named(name).master.f32()[0]; };
  EXPECT_EQ(first(a, kDown), first(b, kDown));
  EXPECT_NE(first(a, kDown), first(other, kDown));
  EXPECT_NE(first(a, kDown), first(a, "model.layers.1.mlp.experts.2.down_proj.weight"));
}

TEST(ModelParameters, PublishedWeightsAreTheMastersRounded) {
  Tiny tiny(DType::kBF16);
  tiny.parameters.initialize(3, 2);
  ThreadPool pool(2);
  tiny.parameters.publish(pool, select_kernels(chosen_isa()));
  const Parameter& embedding = tiny.named("model.embed_tokens.weight");
  const Tensor expected = encode_tensor(embedding.master, DType::kBF16);
  const Tensor& found = tiny.model->head();  // tied
  ASSERT_EQ(found.type, DType::kBF16);
  EXPECT_TRUE(std::equal(found.data, found.data + found.bytes(), expected.data));
}

TEST(ModelFolder, SaysWhatItsWeightsAre) {
  Tiny tiny(DType::kBF16);
  tiny.parameters.initialize(3, 2);
  const testing::TempFolder folder;
  write_model_folder(
      R"({"model_type": "deepseek_v3", "torch_dtype": "x", "quantization_config": {"a": 1}})",
      tiny.parameters, DType::kBF16, folder / "model");
  EXPECT_EQ(
      read_text_file(folder / "model/config.json"),
      "{\n  \"model_type\": \"deepseek_v3\",\n  \"torch_dtype\": \"bfloat16\",\n"
      "  \"architectures\": [\n    \"DeepseekV3ForCausalLM\"\n  ],\n  \"q_lora_rank\": null\n}\n");
  write_model_folder(R"({"model_type": "llama", "dtype": "x"})", tiny.parameters, DType::kBF16,
                     folder / "newer");
  const std::string newer = read_text_file(folder / "newer/config.json");
  EXPECT_NE(newer.find("\"dtype\": \"bfloat16\""), std::string::npos) << newer;
  EXPECT_EQ(newer.find("torch_dtype"), std::string::npos) << newer;
  Checkpoint written(Naming::kHuggingFace, Metadata("written"));
  read_safetensors(folder / "model/model.safetensors", written);
  EXPECT_EQ(written.find(kDown)->type, DType::kBF16);
  EXPECT_EQ(written.find("model.norm.weight")->type, DType::kF32);
  EXPECT_EQ(written.find("model.layers.1.mlp.gate.weight")->type, DType::kF32);
}

}  // namespace
}  // namespace minke
