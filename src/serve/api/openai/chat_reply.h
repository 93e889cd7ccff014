#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "serve/api/openai/wire.h"
#include "serve/api/turn.h"

namespace minke {

// Writes one turn as a chat completion or as its chunks. Thread-safe: the turn is heard of on the
// engine's thread while the thread of the request still prepares the answer.
class ChatReply : public TurnListener {
 public:
  struct Shape {
    int choices = 1;
    bool log_probabilities = false;
    bool include_usage = false;
    ReasoningField reasoning = ReasoningField::kReasoningContent;
  };
  ChatReply(AnswerHead head, const Shape& shape, AnswerSink sink);

  // The turn has been taken: a stream begins before its first token.
  void accepted(std::shared_ptr<TurnHandle> handle);
  // The client is gone.
  void cancel();

  void started(int64_t prompt_tokens, int64_t cached_tokens) override;
  void delta(int choice, const TurnDelta& delta) override;
  void ended(int choice, TurnEnd end, const std::string& stop) override;
  void finished(const TurnUsage& usage) override;
  void failed(const ApiError& error) override;

 private:
  struct Call {
    std::string id, name, arguments;
  };
  struct Choice {
    bool begun = false, ended = false;
    TurnEnd end = TurnEnd::kStop;
    std::string reasoning, content;  // these four where there is no stream
    std::vector<Call> calls;
    std::vector<ScoredText> scores;
  };

  void begin(int choice);
  // One chunk of a choice; a finish reason ends it.
  void chunk(int choice, WireJson delta, WireJson logprobs, WireJson finish_reason);
  void stream(int choice, const TurnDelta& delta);
  static void keep(Choice& choice, const TurnDelta& delta);
  WireJson choice_json(const Choice& choice, int index) const;
  WireJson logprobs_json(const std::vector<ScoredText>& scores) const;
  void put_reasoning(WireJson& message, const WireJson& text) const;
  bool complete() const;
  void release();

  std::mutex mutex_;
  const AnswerHead head_;
  const Shape shape_;
  AnswerSink sink_;
  std::vector<Choice> choices_;
  std::shared_ptr<TurnHandle> handle_;  // while the turn goes on: it may hold this
  bool over_ = false;
};

}  // namespace minke
