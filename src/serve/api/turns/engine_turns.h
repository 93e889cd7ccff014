#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "serve/api/turn.h"
#include "serve/api/turns/reply_vocabulary.h"
#include "text/chat/chat.h"

namespace minke {

// A model as it is served: all that is needed to turn requests into tokens and back.
struct ServedModel {
  std::string name;
  const Tokenizer* tokenizer = nullptr;
  const ChatRenderer* renderer = nullptr;  // null: the model has no chat format
  GenerationOptions generation;            // what ends a reply, what may be drawn; defaults
};

// Turns on an engine: prompts from conversations, and from tokens thinking, text, calls and scores.
class EngineTurns final : public TurnRunner {
 public:
  // `engine` and what `model` points to must outlive it.
  EngineTurns(Engine& engine, ServedModel model);
  ~EngineTurns() override;

  std::shared_ptr<TurnHandle> start(TurnRequest request,
                                    std::shared_ptr<TurnListener> listener) override;
  int64_t count_tokens(const TurnRequest& request) override;
  std::string model_name() const override { return model_.name; }
  int64_t context() const override { return engine_.context(); }

 private:
  ChatRenderer::Prompt prompt_of(const TurnRequest& request) const;

  Engine& engine_;
  ServedModel model_;
  std::shared_ptr<const ReplyVocabulary> vocabulary_;  // null without a chat format
};

}  // namespace minke
