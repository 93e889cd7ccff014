#include "model/families/shapes.h"

#include <gtest/gtest.h>

#include "base/core/error.h"
#include "model/families/active_bytes.h"
#include "model/families/gguf_tensors.h"
#include "model/formats/open_checkpoint.h"

namespace minke {
namespace {

namespace fs = std::filesystem;

// Parameters in millions as their publishers state them, or follow from the published sizes.
TEST(Shapes, HaveTheParametersOfTheirModels) {
  const std::pair<const char*, double> published[] = {
      {"deepseek-v2-lite", 15'706},   {"deepseek-v3", 671'026},        {"r1-0528-qwen3-8b", 8'191},
      {"r1-distill-llama-8b", 8'030}, {"r1-distill-qwen-1.5b", 1'777}, {"smollm2-135m", 134.5},
  };
  for (const auto& [name, millions] : published) {
    const Checkpoint shape = named_shape(name);
    const auto model = make_model(shape);
    EXPECT_NEAR(static_cast<double>(count_parameters(*model)) / 1e6, millions, 1) << name;
  }
}

TEST(Shapes, EveryNameIsAModel) {
  for (const auto name : shape_names()) {
    const Checkpoint shape = named_shape(name);
    EXPECT_GT(make_model(shape)->facts().layers, 0) << name;
  }
  EXPECT_THROW(named_shape("blue-whale"), Error);
}

TEST(Shapes, LayersCanBeLeftOut) {
  const Checkpoint shape = named_shape("deepseek-v3", 4);
  EXPECT_EQ(make_model(shape)->facts().layers, 4);
  EXPECT_THROW(named_shape("deepseek-v3", 62), Error);
  EXPECT_THROW(named_shape("deepseek-v3", 0), Error);
}

// Bytes of a token from the tensors of the file, apart from how a model lists them.
int64_t bytes_of_a_token(const Checkpoint& checkpoint, int64_t chosen, int64_t experts) {
  int64_t total = 0;
  for (const auto& [name, t] : checkpoint.tensors()) {
    if (name.find("_exps") != std::string::npos) {
      total += t.bytes() * chosen / experts;
    } else if (name == "token_embd.weight" && checkpoint.tensors().contains("output.weight")) {
      total += row_bytes(t.type, t.columns());
    } else {
      total += t.bytes();
    }
  }
  return total;
}

int64_t parameters_of_a_token(const Checkpoint& checkpoint, int64_t chosen, int64_t experts) {
  int64_t total = 0;
  for (const auto& [name, t] : checkpoint.tensors()) {
    const bool routed = name.find("_exps") != std::string::npos;
    total += routed ? t.shape.elements() * chosen / experts : t.shape.elements();
  }
  return total;
}

class ActiveBytes : public testing::Test {
 protected:
  Checkpoint written(const char* shape, std::optional<int64_t> layers) {
    const Checkpoint source = named_shape(shape, layers);
    const auto path = fs::path(testing::TempDir()) / (std::string("minke-active-") + shape);
    const auto model = make_model(source);
    write_random_gguf(*model, shape, DType::kQ4_K, 1, path);
    Checkpoint checkpoint = read_gguf(path);
    fs::remove(path);
    return checkpoint;
  }
};

TEST_F(ActiveBytes, OfExpertsThoseThatATokenChooses) {
  const Checkpoint checkpoint = written("deepseek-v3-mini", std::nullopt);
  const auto model = load_model(checkpoint);
  // Routers and vectors are F32 in the file as in memory, so that the sums are equal to the byte.
  EXPECT_EQ(active_weight_bytes(*model), bytes_of_a_token(checkpoint, 4, 16));
  EXPECT_EQ(active_parameters(*model), parameters_of_a_token(checkpoint, 4, 16));
  EXPECT_LT(active_parameters(*model), count_parameters(*model));
}

TEST_F(ActiveBytes, OfATiedEmbeddingAll) {
  const Checkpoint checkpoint = written("smollm2-135m", 1);
  const auto model = load_model(checkpoint);
  EXPECT_FALSE(checkpoint.tensors().contains("output.weight"));
  EXPECT_EQ(active_weight_bytes(*model), bytes_of_a_token(checkpoint, 1, 1));
  EXPECT_EQ(active_parameters(*model), count_parameters(*model));
}

}  // namespace
}  // namespace minke
