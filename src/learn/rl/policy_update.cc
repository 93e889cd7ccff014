#include "learn/rl/policy_update.h"

#include <algorithm>
#include <cmath>

#include "learn/rl/objective.h"

namespace minke {
namespace {

// Between the log-probabilities of a reply as it was drawn, and those of a pass, from row `first`
// on. A difference that is no number is none that can be trained on.
double largest_difference(const Rollout& rollout, std::span<const float> passed, size_t first) {
  double largest = 0;
  for (size_t t = 0; t < rollout.tokens.size(); ++t) {
    const double difference =
        std::abs(static_cast<double>(passed[first + t]) - rollout.log_probabilities[t]);
    largest = std::isnan(difference) ? HUGE_VAL : std::max(largest, difference);
  }
  return largest;
}

}  // namespace

// A token is predicted from those before it: the last of a reply takes no row.
int64_t PolicyUpdate::Piece::rows() const {
  return static_cast<int64_t>(group->prompt.ids.size() + rollout->tokens.size()) - 1;
}

// Replies with their prompts, one behind the other.
struct PolicyUpdate::Packed {
  explicit Packed(std::span<const Piece> pieces) {
    for (const Piece& piece : pieces) {
      const auto& prompt = piece.group->prompt.ids;
      const auto& reply = piece.rollout->tokens;
      starts.push_back(static_cast<int32_t>(tokens.size()));
      tokens.insert(tokens.end(), prompt.begin(), prompt.end());
      tokens.insert(tokens.end(), reply.begin(), reply.end() - 1);
      targets.insert(targets.end(), prompt.size() - 1, -1);
      first_rows.push_back(targets.size());
      targets.insert(targets.end(), reply.begin(), reply.end());
      for (int64_t i = 0; i < piece.rows(); ++i) positions.push_back(static_cast<int32_t>(i));
    }
    weights.assign(tokens.size(), 0.0f);
  }
  PassInput input() const { return {tokens, positions, targets, starts, weights}; }

  std::vector<int32_t> tokens, positions, targets, starts;
  std::vector<float> weights;
  std::vector<size_t> first_rows;  // the row of each reply's first token
};

PolicyUpdate::PolicyUpdate(const Recipe& recipe, Learner& learner, Pass* reference)
    : recipe_(recipe), learner_(learner), reference_(reference) {}

std::vector<PolicyUpdate::Piece> PolicyUpdate::pieces(
    std::span<const RolloutGroup* const> groups) const {
  std::vector<Piece> pieces;
  std::vector<int64_t> tokens;
  for (const RolloutGroup* group : groups) {
    for (const Rollout& rollout : group->rollouts) {
      if (rollout.masked) continue;
      pieces.push_back({group, &rollout, 0});
      tokens.push_back(static_cast<int64_t>(rollout.tokens.size()));
    }
  }
  const std::vector<double> weights = token_weights(tokens, recipe_.grpo);
  for (size_t i = 0; i < pieces.size(); ++i) pieces[i].weight = weights[i];
  // Those that count in the normalizer, but in nothing else.
  if (recipe_.grpo.kl == 0) {
    std::erase_if(pieces, [](const Piece& piece) { return piece.rollout->advantage == 0; });
  }
  return pieces;
}

UpdateResult PolicyUpdate::gradients(std::span<const RolloutGroup* const> groups, bool fresh) {
  const std::vector<Piece> all = pieces(groups);
  UpdateResult result;
  learner_.clear_gradients();
  for (size_t begin = 0, end; begin < all.size(); begin = end) {
    int64_t rows = all[begin].rows();
    end = begin + 1;
    while (end < all.size() && rows + all[end].rows() <= micro_batch_tokens())
      rows += all[end++].rows();
    pass(std::span(all).subspan(begin, end - begin), fresh, result);
  }
  result.gradient_norm = learner_.finish_gradients(recipe_.stages.front().clip);
  return result;
}

void PolicyUpdate::pass(std::span<const Piece> pieces, bool fresh, UpdateResult& result) {
  Packed packed(pieces);
  std::vector<float> now, reference;
  if (!fresh) now = learner_.pass().evaluate(packed.input()).log_probabilities;
  if (reference_ != nullptr) reference = reference_->evaluate(packed.input()).log_probabilities;
  for (size_t p = 0; p < pieces.size(); ++p) {
    const Rollout& rollout = *pieces[p].rollout;
    for (size_t t = 0; t < rollout.tokens.size(); ++t) {
      const size_t row = packed.first_rows[p] + t;
      const double sampled = rollout.log_probabilities[t];
      const TokenTerm term =
          token_term(rollout.advantage, fresh ? sampled : now[row], sampled,
                     reference_ != nullptr ? std::optional<double>(reference[row]) : std::nullopt,
                     recipe_.grpo);
      packed.weights[row] = static_cast<float>(pieces[p].weight * term.weight);
      result.clipped += term.clipped;
      result.divergence += term.divergence;
      ++result.tokens;
    }
  }
  const PassResult passed = learner_.pass().train(packed.input());
  result.loss += passed.loss;
  result.passed_tokens += static_cast<int64_t>(packed.tokens.size());
  add_loads(learner_.pass().tape().loads, result.loads);
  if (!fresh) return;
  for (size_t p = 0; p < pieces.size(); ++p) {
    result.largest_difference = std::max(
        result.largest_difference,
        largest_difference(*pieces[p].rollout, passed.log_probabilities, packed.first_rows[p]));
  }
}

double PolicyUpdate::difference(std::span<const RolloutGroup> groups) {
  std::vector<Piece> pieces;
  int64_t rows = 0;
  for (const RolloutGroup& group : groups) {
    for (const Rollout& rollout : group.rollouts) {
      const Piece piece{&group, &rollout, 0};
      rows += piece.rows();
      if (!pieces.empty() && rows > micro_batch_tokens()) break;
      pieces.push_back(piece);
    }
  }
  const Packed packed(pieces);
  const PassResult passed = learner_.pass().evaluate(packed.input());
  double largest = 0;
  for (size_t p = 0; p < pieces.size(); ++p) {
    largest = std::max(largest, largest_difference(*pieces[p].rollout, passed.log_probabilities,
                                                   packed.first_rows[p]));
  }
  return largest;
}

}  // namespace minke
