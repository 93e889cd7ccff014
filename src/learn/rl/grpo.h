#pragma once

#include <filesystem>

#include "learn/train/trainer.h"

namespace minke {

// Teaches a model by rewards that a program can check (objective.h has what is minimized). A step:
// questions -> groups of replies, sampled by the engine that serves from the very weights that are
// trained -> rewards -> advantages -> an update -> the next step's replies are of the new weights.
//
// Runs a recipe with a section [grpo], or goes on with what its run's folder holds, to the same
// bits as without the interruption; folder, checkpoints, log and model are as train() has them.
// The module of multi-token prediction is left out, as it would not follow the model. The trainer's
// log-probabilities of the tokens of a step's first update are compared with those that the engine
// drew them with; a step that teaches nothing compares a micro-batch of its replies.
//
// Values of a step's record (StepRecord::values), means over all replies sampled unless said:
//   reward, accuracy, format, language (of the right ones), cut
//   tokens, tokens_right, tokens_wrong   of a reply
//   entropy            -ln p of the sampled tokens: an estimate of the policy's, nats a token
//   no_signal          share of the groups asked whose rewards are equal
//   asked              groups asked
//   too_long           questions passed over for want of room for a reply
//   clipped            share of the trained tokens whose ratio was clipped
//   kl                 D of objective.h, with grpo.kl above 0
//   log_probability_difference   the largest between trainer and engine
//   rollout_seconds, update_seconds
// Its loss is a sum of weighted -ln p whose gradient is the objective's; its tokens are those that
// passed the trainer, prompts included.
//
// Throws Error for a recipe that cannot be run, when a value is no finite number any more, and when
// trainer and engine do not agree to the bit.
TrainingEnd grpo(const std::filesystem::path& recipe, const TrainerOptions& options,
                 TrainingObserver& observer);

}  // namespace minke
