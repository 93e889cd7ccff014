#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "serve/api/stop_text.h"
#include "serve/api/turn.h"

namespace minke {

// What the choices of one turn share. Only the engine's thread uses it, but for the numbers of the
// requests and whether they were given up.
class TurnState final : public TurnHandle {
 public:
  TurnState(Engine& engine, std::shared_ptr<TurnListener> listener, int choices,
            int64_t prompt_tokens)
      : engine_(engine), listener_(std::move(listener)), open_choices_(choices) {
    usage_.prompt_tokens = prompt_tokens;
  }

  void add_request(int64_t number);
  void cancel() override;
  // Ends one choice, whose stop string was found.
  void cancel_choice(int choice);
  // Nobody listens any more.
  void abandon();

  void started(int64_t cached_tokens);
  void delta(int choice, const TurnDelta& delta);
  void ended(int choice, TurnEnd end, const std::string& stop, const EngineReceipt& receipt,
             int64_t reasoning_tokens);
  void failed(const std::string& message);

 private:
  Engine& engine_;
  std::shared_ptr<TurnListener> listener_;
  int open_choices_;
  bool started_ = false;
  TurnUsage usage_;
  std::atomic<bool> silent_{false};
  std::mutex mutex_;
  std::vector<int64_t> requests_;       // of each choice
  std::vector<int> cancelled_choices_;  // whose request was not known yet
  bool cancelled_ = false;
};

// One choice of a turn, from tokens to text.
class TurnChoice final : public EngineListener {
 public:
  TurnChoice(std::shared_ptr<TurnState> turn, int index, const Tokenizer& tokenizer,
             ReplyParser parser, const std::vector<std::string>& stops, bool with_scores,
             bool one_call, std::string call_prefix);

  void started(int64_t cached_tokens) override { turn_->started(cached_tokens); }
  void scored(std::span<const EngineToken> /*prompt*/) override {}
  void token(const EngineToken& token) override;
  void finished(const EngineReceipt& receipt) override;
  void failed(const std::string& message) override { turn_->failed(message); }

 private:
  void give(ReplyDelta delta, bool last);
  ScoredText scored_text(const EngineToken& token) const;

  std::shared_ptr<TurnState> turn_;
  int index_;
  const Tokenizer& tokenizer_;
  ReplyParser parser_;
  StopText stop_;
  bool with_scores_;
  bool one_call_;                   // ends behind its first call
  std::string call_prefix_;         // of the ids of this choice's calls
  std::vector<ScoredText> scores_;  // of tokens whose text is held back
  int64_t reasoning_tokens_ = 0;
  int calls_ = 0;
  bool called_ = false;  // the only call was made
};

}  // namespace minke
