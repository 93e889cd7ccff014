#pragma once

#include <functional>
#include <span>

#include "learn/eval/scoreboard.h"
#include "model/families/model.h"
#include "serve/engine/batch_generator.h"
#include "text/chat/chat.h"

namespace minke {

// The question as a conversation that the model is to answer.
ChatRenderer::Prompt render_question(const ChatRenderer& renderer, const Question& question);
// What a sequence says, read by `parser`.
Reply read_reply(const GeneratedSequence& sequence, ReplyParser parser);

struct EvaluationOptions {
  // Of every reply. The seed is that of the evaluation: each reply draws with a seed of its own,
  // made of it, the question and the number of the sample.
  GenerationOptions generation;
  BatchOptions batch;  // a context of 0 is what the longest prompt and reply need
};

// Asks the model every question in its chat format, thinking, as often as `board` has samples.
// After every forward pass `go_on` is asked; when it says no, what is not finished is dropped.
// Throws Error if a question does not fit into the model's context.
EngineStats evaluate(const Model& model, const ChatRenderer& renderer,
                     const EvaluationOptions& options, Scoreboard& board,
                     const std::function<bool()>& go_on);

}  // namespace minke
