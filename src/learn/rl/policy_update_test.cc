#include "learn/rl/policy_update.h"

#include <cmath>
#include <numeric>

#include <gtest/gtest.h>

#include "learn/train/train_testing.h"

namespace minke {
namespace {

using testing::Recorder;
using testing::TinyRuns;

class PolicyUpdateTest : public ::testing::Test {
 protected:
  void SetUp() override {
    TrainerOptions options;
    options.isa = chosen_isa();
    Recorder recorder;
    train(runs_.recipe("start", 1, "[optimizer]\nlearning_rate = 0.0\n"), options, recorder);
    recipe_ = parse_recipe(
        fmt::format("[model]\nfrom = \"{}\"\n[data]\ntasks = [\"sums\"]\ncontext = 128\n"
                    "micro_batch_tokens = 256\n[schedule]\nsteps = 1\n[optimizer]\nclip = 1e9\n"
                    "[grpo]\nprompts = 1\ngroup = 3\nreply_tokens = 8\nupdates = 1\n",
                    (runs_.run("start") / "model").string()),
        "r.toml");
    learner_ = std::make_unique<Learner>(recipe_, chosen_isa(), 128, PredictionModule::kLeftOut);
    learner_->begin(recipe_.stages.front().optimizer);
    learner_->publish();
    RolloutOptions sampling;
    sampling.batch.session = {
        .threads = 2, .isa = chosen_isa(), .context = 128, .kv_type = learner_->precision()};
    sampling.group = 3;
    sampling.reply_tokens = 8;
    RolloutSampler sampler(learner_->model(), learner_->tokenizer(), sampling);
    Question question;
    question.text = "1 + 1?";
    question.accepts = [](std::string_view) { return false; };
    groups_ = sampler.sample({question}, {7}, 1, [] { return true; });
    for (size_t i = 0; i < 3; ++i) groups_[0].rollouts[i].advantage = i == 0 ? 1 : -0.5;
  }

  UpdateResult gradients(bool fresh) {
    const RolloutGroup* group = &groups_[0];
    return PolicyUpdate(recipe_, *learner_, nullptr).gradients({&group, 1}, fresh);
  }

  TinyRuns runs_;
  Recipe recipe_;
  std::unique_ptr<Learner> learner_;
  std::vector<RolloutGroup> groups_;
};

TEST_F(PolicyUpdateTest, TellsTheDifferenceToTheEngine) {
  EXPECT_EQ(gradients(true).largest_difference, 0);
  EXPECT_EQ(PolicyUpdate(recipe_, *learner_, nullptr).difference(groups_), 0);
  float& one = groups_[0].rollouts[1].log_probabilities[3];
  one = std::nextafter(one, 0.0f);
  EXPECT_GT(gradients(true).largest_difference, 0);
  EXPECT_LT(gradients(true).largest_difference, 1e-5);
  EXPECT_GT(PolicyUpdate(recipe_, *learner_, nullptr).difference(groups_), 0);
  one = std::nanf("");
  EXPECT_TRUE(std::isinf(gradients(true).largest_difference));
}

// With the weights of the replies, ratios that are computed are 1 as those that are not.
TEST_F(PolicyUpdateTest, ComputedRatiosOfEqualWeightsAreOne) {
  const UpdateResult assumed = gradients(true), computed = gradients(false);
  EXPECT_GT(assumed.gradient_norm, 0);
  EXPECT_EQ(assumed.gradient_norm, computed.gradient_norm);
  EXPECT_EQ(assumed.loss, computed.loss);
  EXPECT_EQ(computed.clipped, 0);
}

// One step along the gradients makes the better reply likelier and the others less likely.
TEST_F(PolicyUpdateTest, AStepFollowsTheAdvantages) {
  const auto likelihood = [&](const Rollout& rollout) {
    std::vector<int32_t> tokens = groups_[0].prompt.ids;
    const size_t first = tokens.size() - 1;
    tokens.insert(tokens.end(), rollout.tokens.begin(), rollout.tokens.end());
    std::vector<int32_t> positions, targets(tokens.begin() + 1, tokens.end());
    tokens.pop_back();
    for (size_t i = 0; i < tokens.size(); ++i) positions.push_back(static_cast<int32_t>(i));
    const std::vector<int32_t> starts = {0};
    const std::vector<float> weights(tokens.size(), 0.0f);
    const auto p =
        learner_->pass().evaluate({tokens, positions, targets, starts, weights}).log_probabilities;
    return std::accumulate(p.begin() + static_cast<std::ptrdiff_t>(first), p.end(), 0.0);
  };
  const double better = likelihood(groups_[0].rollouts[0]);
  const double worse = likelihood(groups_[0].rollouts[1]);
  gradients(true);
  learner_->step(3e-3, 1);
  EXPECT_GT(likelihood(groups_[0].rollouts[0]), better);
  EXPECT_LT(likelihood(groups_[0].rollouts[1]), worse);
}

}  // namespace
}  // namespace minke
