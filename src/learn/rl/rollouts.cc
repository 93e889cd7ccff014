#include "learn/rl/rollouts.h"

#include <algorithm>

#include "base/core/check.h"
#include "base/core/error.h"
#include "base/core/rng.h"
#include "learn/eval/evaluate.h"
#include "text/tokenizer/drawable_ids.h"

namespace minke {
namespace {

GenerationOptions sampling_options(const Model& model, const Tokenizer& tokenizer,
                                   const ChatRenderer& renderer, int64_t reply_tokens) {
  GenerationOptions options;
  options.sampling.temperature = 1;
  options.max_tokens = reply_tokens;
  options.stop_ids = renderer.stop_ids();
  if (const auto eos = tokenizer.eos()) options.stop_ids.push_back(*eos);
  options.allowed = drawable_ids(tokenizer, model.facts().vocab);
  return options;
}

BatchOptions in_phase_of_training(BatchOptions options) {
  options.generated_phase = Phase::kPrefill;
  return options;
}

}  // namespace

bool RolloutGroup::has_signal() const {
  return std::ranges::any_of(rollouts, [](const Rollout& r) { return r.advantage != 0; });
}

bool RolloutGroup::all_right() const {
  return std::ranges::all_of(rollouts, [](const Rollout& r) { return r.rewards.accuracy == 1; });
}

RolloutSampler::RolloutSampler(const Model& model, const Tokenizer& tokenizer,
                               const RolloutOptions& options)
    : options_(options),
      renderer_(detect_chat_template(tokenizer.spec()), tokenizer),
      generation_(sampling_options(model, tokenizer, renderer_, options.reply_tokens)),
      generator_(model, in_phase_of_training(options.batch)) {}

ChatRenderer::Prompt RolloutSampler::prompt(const Question& question) const {
  ChatRenderer::Prompt prompt = render_question(renderer_, question);
  const auto size = static_cast<int64_t>(prompt.ids.size());
  if (size <= room()) return prompt;
  fail(
      question.task,
      "question {} of level {} in \"{}\", \"{}\": expected at most {} tokens (data.context without "
      "the {} of grpo.reply_tokens), found {}",
      question.index, question.level, language_code(question.language),
      printable(question.text, 80), room(), options_.reply_tokens, size);
}

bool RolloutSampler::fits(const Question& question) const {
  return static_cast<int64_t>(render_question(renderer_, question).ids.size()) <= room();
}

int64_t RolloutSampler::room() const {
  return generator_.capacity() - options_.reply_tokens;
}

std::vector<RolloutGroup> RolloutSampler::sample(std::vector<Question> questions,
                                                 const std::vector<uint64_t>& numbers,
                                                 uint64_t seed,
                                                 const std::function<bool()>& go_on) {
  CHECK(questions.size() == numbers.size());
  std::vector<RolloutGroup> groups(questions.size());
  for (size_t g = 0; g < groups.size(); ++g) {
    groups[g].number = numbers[g];
    groups[g].question = std::move(questions[g]);
    groups[g].prompt = prompt(groups[g].question);
    groups[g].rollouts.resize(static_cast<size_t>(options_.group));
    for (int64_t i = 0; i < options_.group; ++i) {
      GenerationOptions generation = generation_;
      const uint64_t of_question = Rng(seed, numbers[g]).next();
      generation.sampling.seed = Rng(of_question, static_cast<uint64_t>(i)).next();
      generator_.submit(groups[g].prompt.ids, generation);
    }
  }
  const auto tickets = static_cast<int64_t>(groups.size()) * options_.group;
  while (generator_.unfinished() > 0) {
    for (GeneratedSequence& sequence : generator_.step()) {
      const int64_t n = sequence.ticket - first_ticket_;
      RolloutGroup& group = groups[static_cast<size_t>(n / options_.group)];
      Rollout& rollout = group.rollouts[static_cast<size_t>(n % options_.group)];
      rollout.reply = read_reply(sequence, renderer_.parser(group.prompt.starts_in_thinking));
      rollout.tokens = std::move(sequence.tokens);
      rollout.log_probabilities = std::move(sequence.log_probabilities);
      rollout.rewards = judge(group.question, rollout.reply, options_.reply_tokens);
    }
    if (!go_on()) return {};
  }
  first_ticket_ += tickets;
  return groups;
}

}  // namespace minke
