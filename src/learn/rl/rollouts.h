#pragma once

#include <functional>
#include <vector>

#include "learn/rl/rewards.h"
#include "serve/engine/batch_generator.h"
#include "text/chat/chat.h"

namespace minke {

// A reply that was sampled, as the trainer sees it.
struct Rollout {
  std::vector<int32_t> tokens;           // with the token that ended it
  std::vector<float> log_probabilities;  // of each, as it was drawn
  Reply reply;
  Rewards rewards;
  double reward = 0;
  double advantage = 0;
  bool masked = false;  // teaches nothing
};

// The replies to one question.
struct RolloutGroup {
  uint64_t number = 0;  // of the question
  Question question;
  ChatRenderer::Prompt prompt;
  std::vector<Rollout> rollouts;

  bool has_signal() const;  // some reply has an advantage
  bool all_right() const;
};

struct RolloutOptions {
  BatchOptions batch;
  int64_t group = 16;
  int64_t reply_tokens = 256;
};

// Samples replies of a model in training with the engine that serves: temperature 1 and no limits,
// so that a token's probability is the model's own (but for that of ids that the tokenizer does not
// have, which are never drawn), and in the phase of prompts, so that it is the trainer's to the
// bit.
class RolloutSampler {
 public:
  // `model` and `tokenizer` must outlive it. Throws Error if the tokenizer has no chat template.
  RolloutSampler(const Model& model, const Tokenizer& tokenizer, const RolloutOptions& options);

  // What the model is given. Throws Error that says which question it is, if it leaves no room in
  // the context for a reply.
  ChatRenderer::Prompt prompt(const Question& question) const;
  // Whether prompt() has room for it.
  bool fits(const Question& question) const;
  // A group for each question; `numbers` are theirs. What is drawn follows from the seed, the
  // numbers and the weights. `go_on` is asked after every pass; when it says no, the result is
  // empty. Throws Error as prompt().
  std::vector<RolloutGroup> sample(std::vector<Question> questions,
                                   const std::vector<uint64_t>& numbers, uint64_t seed,
                                   const std::function<bool()>& go_on);
  // Before sampling with other weights.
  void weights_changed() { generator_.weights_changed(); }

  const ChatRenderer& renderer() const { return renderer_; }
  const GenerationOptions& generation() const { return generation_; }
  EngineStats stats() const { return generator_.stats(); }

 private:
  int64_t room() const;  // tokens of a prompt

  RolloutOptions options_;
  ChatRenderer renderer_;
  GenerationOptions generation_;
  BatchGenerator generator_;
  int64_t first_ticket_ = 0;  // of the current sample()
};

}  // namespace minke
