#include "model/families/gguf_config.h"

#include <gtest/gtest.h>

#include "base/core/error.h"
#include "model/families/active_bytes.h"
#include "model/families/changed_shape.h"

namespace minke {
namespace {

using Changes = std::map<std::string, MetaValue>;

// What is said when GGUF metadata of the changed shape is asked for; "" if it is given.
std::string refusal(std::string_view shape, const Changes& changes) {
  const auto model = make_model(changed(shape, changes));
  try {
    gguf_metadata(*model, "copy");
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

TEST(GgufConfig, AFieldWithoutAKeyIsRefusedUnlessItIsWhatReadersTake) {
  EXPECT_EQ(refusal("deepseek-v3-mini", {{"moe_layer_freq", int64_t{2}}}),
            "copy: configuration field 'moe_layer_freq': expected 1, as GGUF has no key for it, "
            "found 2");
  EXPECT_EQ(refusal("deepseek-v3-mini", {{"moe_layer_freq", int64_t{1}}}), "");
  // Without experts there is no layer that it could speak of.
  EXPECT_EQ(refusal("deepseek-v3-mini",
                    {{"moe_layer_freq", int64_t{2}}, {"n_routed_experts", int64_t{0}}}),
            "");
}

TEST(GgufConfig, ScalingThatTheArchitectureCannotStoreIsRefused) {
  EXPECT_EQ(refusal("deepseek-v3-mini", {{"rope_scaling.type", std::string("llama3")},
                                         {"rope_scaling.low_freq_factor", 1.0},
                                         {"rope_scaling.high_freq_factor", 4.0}}),
            "copy: configuration field 'rope_scaling.type': expected none, as GGUF has no key for "
            "it, found llama3");
  EXPECT_NE(refusal("deepseek-v3-mini", {{"rope_scaling.mscale", 0.5}})
                .find("'rope_scaling.attention_factor': expected 1, as GGUF has no key for it"),
            std::string::npos);
  EXPECT_EQ(
      refusal("r1-0528-qwen3-8b", {{"rope_scaling.original_max_position_embeddings", 32768.5}}),
      "copy: configuration field 'rope_scaling.original_max_position_embeddings': expected "
      "32768, as GGUF has no key for it, found 32768.5");
}

TEST(GgufConfig, AValueThatReadersRefuseIsNotWritten) {
  EXPECT_NE(refusal("r1-0528-qwen3-8b", {{"rope_scaling.attention_factor", 1e-5}})
                .find("'rope.scaling.attn_factor': expected 0.001 to 100 for GGUF, found"),
            std::string::npos);
}

TEST(GgufConfig, AScaleOfZeroMeansNoneInGgufAndIsRefusedInConfigJson) {
  EXPECT_THROW(make_model(changed("deepseek-v3-mini", {{"routed_scaling_factor", 0.0}})), Error);
}

TEST(GgufConfig, EveryMethodOfRoutingIsTold) {
  const auto method_of = [](const Changes& changes) {
    const auto model = make_model(changed("deepseek-v3-mini", changes));
    gguf_metadata(*model, "copy");  // throws Error if readers would deduce another
    return config_fields(*model, "copy").text("topk_method");
  };
  EXPECT_EQ(method_of({}), "noaux_tc");
  EXPECT_EQ(method_of({{"topk_method", std::string("greedy")}}), "greedy");
  EXPECT_EQ(method_of({{"topk_method", std::string("group_limited_greedy")}}),
            "group_limited_greedy");
  // One group is no limit.
  EXPECT_EQ(method_of({{"topk_method", std::string("group_limited_greedy")},
                       {"n_group", int64_t{1}},
                       {"topk_group", int64_t{1}}}),
            "greedy");
}

// Of a model of dense layers alone, no tensor tells of the selection's bias.
TEST(GgufConfig, WithoutLayersOfExpertsThereIsNoRouting) {
  const auto model =
      make_model(changed("deepseek-v3-mini", {{"first_k_dense_replace", int64_t{5}}}));
  const Metadata metadata = gguf_metadata(*model, "dense");
  EXPECT_EQ(metadata.integer("deepseek2.expert_count"), 0);
  EXPECT_FALSE(metadata.has("deepseek2.expert_gating_func"));
}

TEST(GgufConfig, ConfigurationsThatCannotBeWrittenCanBeShownAndCounted) {
  const auto model = make_model(
      changed("deepseek-v3-mini", {{"moe_layer_freq", int64_t{2}}, {"rope_scaling.mscale", 0.5}}));
  const Metadata fields = config_fields(*model, "shown");
  EXPECT_EQ(fields.text("general.name"), "shown");
  EXPECT_EQ(fields.integer("moe_layer_freq"), 2);
  EXPECT_EQ(fields.integer("deepseek2.expert_used_count"), 4);
  EXPECT_EQ(active_weight_bytes(*model), 0);  // none are loaded
}

}  // namespace
}  // namespace minke
