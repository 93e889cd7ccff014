#include "learn/eval/evaluate.h"

#include <algorithm>

#include "base/core/error.h"

namespace minke {
namespace {

int64_t needed_context(const Model& model, std::span<const Question> questions,
                       std::span<const ChatRenderer::Prompt> prompts, int64_t max_tokens) {
  const int64_t most = model.facts().context_length;
  int64_t longest = 1;
  for (size_t i = 0; i < prompts.size(); ++i) {
    const auto size = static_cast<int64_t>(prompts[i].ids.size());
    if (size > most) {
      fail(questions[i].task,
           "a question of level {} in \"{}\" has {} tokens, and the model's "
           "context {}",
           questions[i].level, language_code(questions[i].language), size, most);
    }
    longest = std::max(longest, size);
  }
  return max_tokens == 0 ? most : std::min(most, longest + std::min(max_tokens, most));
}

}  // namespace

ChatRenderer::Prompt render_question(const ChatRenderer& renderer, const Question& question) {
  Conversation conversation;
  conversation.messages.emplace_back().content = question.text;
  return renderer.render(conversation);
}

Reply read_reply(const GeneratedSequence& sequence, ReplyParser parser) {
  Reply reply;
  const auto keep = [&reply](const ReplyDelta& delta) {
    reply.reasoning += delta.reasoning;
    reply.content += delta.content;
  };
  for (const int32_t id : sequence.reply()) keep(parser.add(id));
  keep(parser.finish());
  reply.tokens = static_cast<int64_t>(sequence.reply().size());
  reply.cut = sequence.reason == FinishReason::kLength;
  return reply;
}

EngineStats evaluate(const Model& model, const ChatRenderer& renderer,
                     const EvaluationOptions& options, Scoreboard& board,
                     const std::function<bool()>& go_on) {
  const auto questions = board.questions();
  std::vector<ChatRenderer::Prompt> prompts;
  for (const Question& question : questions) {
    prompts.push_back(render_question(renderer, question));
  }
  BatchOptions batch = options.batch;
  if (batch.session.context == 0) {
    batch.session.context =
        needed_context(model, questions, prompts, options.generation.max_tokens);
  }
  BatchGenerator generator(model, batch);
  // Reply r is sample r % samples of question r / samples; its ticket is r.
  int64_t next = 0;
  const auto submit_next = [&] {
    const auto question = static_cast<size_t>(next / board.samples());
    GenerationOptions generation = options.generation;
    const uint64_t seed = question_seed(generation.sampling.seed, questions[question]);
    generation.sampling.seed = Rng(seed, static_cast<uint64_t>(next % board.samples())).next();
    generator.submit(prompts[question].ids, generation);
    ++next;
  };
  for (;;) {
    while (next < board.expected_replies() && generator.waiting() < generator.slots()) {
      submit_next();
    }
    if (generator.unfinished() == 0 || !go_on()) break;
    for (const GeneratedSequence& sequence : generator.step()) {
      const auto question = static_cast<size_t>(sequence.ticket / board.samples());
      board.add(question,
                read_reply(sequence, renderer.parser(prompts[question].starts_in_thinking)));
    }
  }
  return generator.stats();
}

}  // namespace minke
