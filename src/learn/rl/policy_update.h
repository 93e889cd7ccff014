#pragma once

#include <span>
#include <vector>

#include "learn/rl/rollouts.h"
#include "learn/train/learner.h"

namespace minke {

// What one update of the weights saw.
struct UpdateResult {
  double loss = 0;            // of the trained tokens' -ln p, with the gradient of the objective
  double gradient_norm = 0;   // before clipping
  int64_t passed_tokens = 0;  // through the model, prompts included
  int64_t tokens = 0;         // of replies that teach
  int64_t clipped = 0;        // of them
  double divergence = 0;      // sum of D over them
  double largest_difference = 0;  // between ln p of trainer and engine, where they should be equal
  std::vector<ExpertLoad> loads;
};

// The gradients of the objective over some replies, micro-batch after micro-batch.
class PolicyUpdate {
 public:
  // `reference`: passes of the first model, which must be there if grpo.kl is above 0. All must
  // outlive this.
  PolicyUpdate(const Recipe& recipe, Learner& learner, Pass* reference);

  // Leaves the gradients, clipped, in the learner. `fresh`: the weights are those that the replies
  // were sampled from, so that ratios are 1 without computing them. Nothing is done for no replies
  // that teach.
  UpdateResult gradients(std::span<const RolloutGroup* const> groups, bool fresh);
  // The largest difference between trainer and engine over the first micro-batch of the replies,
  // without gradients.
  double difference(std::span<const RolloutGroup> groups);

 private:
  struct Piece {  // a reply that teaches
    const RolloutGroup* group;
    const Rollout* rollout;
    double weight;  // of a token, before its advantage
    int64_t rows() const;
  };
  struct Packed;

  int64_t micro_batch_tokens() const { return recipe_.stages.front().data.micro_batch_tokens; }
  std::vector<Piece> pieces(std::span<const RolloutGroup* const> groups) const;
  void pass(std::span<const Piece> pieces, bool fresh, UpdateResult& result);

  const Recipe& recipe_;
  Learner& learner_;
  Pass* reference_;
};

}  // namespace minke
