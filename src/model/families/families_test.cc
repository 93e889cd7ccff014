#include <filesystem>

#include <fmt/core.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/core/error.h"
#include "math/quant/quant.h"
#include "model/families/bundle.h"
#include "model/families/changed_shape.h"
#include "model/families/gguf_tensors.h"
#include "model/families/shapes.h"
#include "model/formats/open_checkpoint.h"

namespace minke {
namespace {

namespace fs = std::filesystem;

std::string error_of(const Checkpoint& checkpoint) {
  try {
    make_model(checkpoint);
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

TEST(Families, ShapesHaveTheParametersOfTheReleasedModels) {
  const auto count = [](const char* name) {
    return static_cast<double>(count_parameters(*make_model(named_shape(name))));
  };
  EXPECT_NEAR(count("deepseek-v2-lite") / 1e9, 15.71, 0.01);
  EXPECT_NEAR(count("r1-distill-qwen-1.5b") / 1e9, 1.777, 0.001);
  EXPECT_NEAR(count("smollm2-135m") / 1e6, 134.5, 0.1);
  EXPECT_NEAR(count("deepseek-v3-mini") / 1e6, 40, 4);
  EXPECT_THROW(named_shape("gpt-5"), Error);
}

TEST(Families, LatentCacheHoldsTheLatentAndOneKeyForAToken) {
  EXPECT_EQ(make_model(named_shape("deepseek-v2-lite"))->facts().kv.width, 576);
}

TEST(Families, ErrorsNameTheFieldWhatWasExpectedAndWhatWasFound) {
  EXPECT_EQ(error_of(changed("smollm2-135m", {{"model_type", std::string("gpt_neox")}})),
            "config.json: architecture 'gpt_neox' is not supported; supported are: deepseek_v2, "
            "deepseek_v3, llama, qwen2, mimo, qwen3");
  EXPECT_EQ(error_of(changed("smollm2-135m", {{"hidden_size", std::string()}})),
            "config.json: configuration field 'hidden_size' is missing");
  EXPECT_EQ(error_of(changed("smollm2-135m", {{"num_hidden_layers", int64_t{1} << 40}})),
            "config.json: configuration field 'num_hidden_layers': expected 1 to 4096, found "
            "1099511627776");
  EXPECT_EQ(error_of(changed("smollm2-135m", {{"num_key_value_heads", int64_t{2}}})),
            "config.json: 9 query heads are not a multiple of 2 key-value heads");
  EXPECT_EQ(error_of(changed("smollm2-135m", {{"hidden_act", std::string("gelu")}})),
            "config.json: configuration field 'hidden_act': only \"silu\" is supported, found "
            "\"gelu\"");
  EXPECT_EQ(error_of(changed("deepseek-v3-mini", {{"num_experts_per_tok", int64_t{9}}})),
            "config.json: expected at most 8 experts for a token, found 9");
  EXPECT_EQ(error_of(changed("deepseek-v3-mini", {{"n_group", int64_t{3}}})),
            "config.json: 16 experts do not divide into 3 groups");
  EXPECT_EQ(error_of(changed("deepseek-v3-mini", {{"topk_method", std::string("random")}})),
            "config.json: topk_method: expected greedy, group_limited_greedy or noaux_tc, found "
            "\"random\"");
  EXPECT_EQ(error_of(changed("deepseek-v3-mini", {{"rope_scaling.type", std::string("magic")}})),
            "config.json: rope scaling: expected none, linear, yarn or llama3, found \"magic\"");
  EXPECT_EQ(error_of(changed("smollm2-135m", {{"rope_scaling", std::string("yarn")}})),
            "config.json: 'rope_scaling': expected an object");
  EXPECT_EQ(error_of(changed("smollm2-135m", {{"rope_scaling.factor", 4.0}})),
            "config.json: rope scaling: 'rope_scaling.factor' without a type");
}

class RandomGguf : public testing::TestWithParam<DType> {
 protected:
  RandomGguf()
      : path_(fs::temp_directory_path() / fmt::format("minke-families-{}.gguf", getpid())) {}
  ~RandomGguf() override { fs::remove(path_); }

  fs::path path_;
};

TEST_P(RandomGguf, LoadsWithItsTokenizerAndKeepsItsConfiguration) {
  const auto model = make_model(named_shape("deepseek-v3-mini"));
  write_random_gguf(*model, "mini", GetParam(), 1, path_);
  const Bundle bundle = load_bundle(path_);
  const ModelFacts& facts = bundle.model->facts();
  EXPECT_EQ(facts.vocab, model->facts().vocab);
  EXPECT_EQ(facts.layers, model->facts().layers);
  EXPECT_EQ(facts.kv.width, model->facts().kv.width);
  EXPECT_EQ(facts.context_length, model->facts().context_length);
  EXPECT_EQ(count_parameters(*bundle.model), count_parameters(*model));
  const auto ids = bundle.require_tokenizer().encode("abc");
  EXPECT_EQ(bundle.tokenizer->decode(ids), "abc");
}

INSTANTIATE_TEST_SUITE_P(Types, RandomGguf,
                         testing::Values(DType::kQ4_K, DType::kQ8_0, DType::kBF16));

TEST(Families, ALargePaddedVocabularyLoads) {
  const fs::path path = fs::temp_directory_path() / fmt::format("minke-padded-{}.gguf", getpid());
  Metadata config("padded");
  const Checkpoint shape = named_shape("smollm2-135m", 1);
  for (const auto& [key, value] : shape.metadata().values()) {
    if (key != "vocab_size") config.set(key, value);
  }
  config.set("vocab_size", int64_t{151936});
  write_random_gguf(*make_model(Checkpoint(Naming::kHuggingFace, std::move(config))), "padded",
                    DType::kQ4_0, 1, path);
  const Bundle bundle = load_bundle(path);
  fs::remove(path);
  EXPECT_EQ(bundle.require_tokenizer().size(), 151936);
  EXPECT_FALSE(bundle.tokenizer->is_token(151935));
}

TEST(Families, ExpertsOfDifferentTypesAreRefused) {
  const fs::path source = fs::path(MINKE_GOLDEN_DIR) / "models/deepseek-v3-s0";
  const Checkpoint whole = open_checkpoint(source);
  const std::string name = "model.layers.1.mlp.experts.2.up_proj.weight";
  ASSERT_EQ(whole.find(name)->type, DType::kF32);
  const Tensor other = encode_tensor(*whole.find(name), DType::kBF16);
  Metadata metadata("mixed");
  for (const auto& [key, value] : whole.metadata().values()) metadata.set(key, value);
  Checkpoint mixed(Naming::kHuggingFace, std::move(metadata));
  for (const auto& [key, tensor] : whole.tensors()) mixed.add(key, key == name ? other : tensor);
  try {
    load_model(mixed);
    FAIL() << "no error";
  } catch (const Error& e) {
    EXPECT_EQ(std::string(e.what()),
              "mixed: tensor '" + name + "': expected F32, as of expert 0, found BF16");
  }
}

TEST(Families, AMissingOrMisshapenTensorIsNamed) {
  const fs::path path = fs::temp_directory_path() / fmt::format("minke-tensors-{}.gguf", getpid());
  const auto model = make_model(named_shape("deepseek-v3-mini"));
  write_random_gguf(*model, "mini", DType::kQ4_0, 1, path);
  const Checkpoint whole = open_checkpoint(path);
  fs::remove(path);
  const auto error_with = [&](const std::string& name, const std::optional<Tensor>& instead) {
    Metadata metadata("broken.gguf");
    for (const auto& [key, value] : whole.metadata().values()) metadata.set(key, value);
    Checkpoint broken(Naming::kGguf, std::move(metadata));
    for (const auto& [key, tensor] : whole.tensors()) {
      if (key != name) broken.add(key, tensor);
    }
    if (instead) broken.add(name, *instead);
    try {
      load_model(broken);
    } catch (const Error& e) {
      return std::string(e.what());
    }
    return std::string("no error");
  };
  EXPECT_EQ(error_with("blk.2.ffn_up_exps.weight", {}),
            "broken.gguf: tensor 'blk.2.ffn_up_exps.weight' [16, 256, 512] is missing");
  EXPECT_EQ(error_with("output_norm.weight", Tensor::zeros(DType::kF32, {511})),
            "broken.gguf: tensor 'output_norm.weight': expected shape [512], found [511]");
}

}  // namespace
}  // namespace minke
