#include <gtest/gtest.h>

#include "model/families/changed_shape.h"
#include "model/families/gguf_config.h"

namespace minke {
namespace {

// The groups of experts, and how many of them a token chooses from.
using Groups = std::pair<int64_t, int64_t>;

// Those that a GGUF file of the changed shape stands for. `stored`: its expert_group_count, if any.
Groups groups_of(const std::map<std::string, MetaValue>& changes,
                 std::optional<int64_t> stored = {}) {
  const auto model = make_model(changed("deepseek-v3", changes));
  const bool biased = config_fields(*model, "").text("topk_method") == "noaux_tc";
  Metadata metadata("old.gguf");
  const Metadata written = gguf_metadata(*model, "old");
  for (const auto& [key, value] : written.values()) {
    if (!key.starts_with("deepseek2.expert_group_")) metadata.set(key, value);
  }
  if (stored) metadata.set("deepseek2.expert_group_count", *stored);
  Checkpoint old(Naming::kGguf, std::move(metadata));
  if (biased) old.add("blk.3.exp_probs_b.bias", Tensor::zeros(DType::kF32, {256}));
  const Metadata read = config_fields(*make_model(old), "");
  return {*read.integer("deepseek2.expert_group_count"),
          *read.integer("deepseek2.expert_group_used_count")};
}

const MetaValue kGreedy = std::string("greedy");

TEST(ExpertGroups, GgufFilesWithoutThemHaveThoseOfTheReleasedModels) {
  EXPECT_EQ(groups_of({}), Groups(8, 4));  // V3
  EXPECT_EQ(groups_of({{"topk_method", kGreedy},
                       {"scoring_func", std::string("softmax")},
                       {"n_routed_experts", int64_t{160}},
                       {"num_experts_per_tok", int64_t{6}},
                       {"num_hidden_layers", int64_t{60}}}),
            Groups(8, 3));  // V2
}

TEST(ExpertGroups, OtherModelsWithoutThemHaveOneGroup) {
  EXPECT_EQ(groups_of({{"num_hidden_layers", int64_t{60}}}), Groups(1, 1));
  EXPECT_EQ(groups_of({{"n_routed_experts", int64_t{384}}}), Groups(1, 1));
  EXPECT_EQ(groups_of({{"n_routed_experts", int64_t{160}}}), Groups(1, 1));
  EXPECT_EQ(groups_of({{"topk_method", kGreedy}}), Groups(1, 1));
}

TEST(ExpertGroups, WhatAFileSaysIsTaken) {
  EXPECT_EQ(groups_of({}, 1), Groups(1, 1));
  EXPECT_EQ(groups_of({}, 2), Groups(2, 1));
}

}  // namespace
}  // namespace minke
