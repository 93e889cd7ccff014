#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "serve/api/completions/completion_runner.h"
#include "serve/api/openai/wire.h"

namespace minke {

// OpenAI's log-probabilities of texts: {"tokens", "token_logprobs", "top_logprobs", "text_offset"},
// arrays with an item for each token. A token without a score, the first, has null. Offsets count
// code points.
class TextLogprobs {
 public:
  // A hidden token takes no room in the text.
  void add(const ScoredText& token, bool hidden);
  void add_unscored(std::string_view bytes, bool hidden);
  // What was added since the last call.
  WireJson take();

 private:
  void place(std::string_view bytes, bool hidden);

  WireJson tokens_ = WireJson::array(), scores_ = WireJson::array();
  WireJson tops_ = WireJson::array(), offsets_ = WireJson::array();
  int64_t offset_ = 0;
};

// Writes the continuations of some prompts as one answer or as its chunks. Thread-safe.
class CompletionReply : public std::enable_shared_from_this<CompletionReply> {
 public:
  struct Shape {
    int choices = 1;  // of each prompt
    bool echo = false;
    bool log_probabilities = false;
    bool score_prompt = false;
    bool include_usage = false;
  };
  // What is echoed.
  struct Prompt {
    EncodedPrompt encoded;
    std::string text;
    std::string first;  // bytes of the first token
  };
  CompletionReply(AnswerHead head, const Shape& shape, std::vector<Prompt> prompts,
                  AnswerSink sink);

  // Who hears of choice `index`; those of the first prompt come first.
  std::shared_ptr<CompletionListener> listener(int index);
  // A task was taken.
  void accepted(std::shared_ptr<TurnHandle> handle);
  // The client is gone.
  void cancel();
  void failed(const ApiError& error);

 private:
  class Narrator;
  struct Choice {
    bool echoed = false, ended = false;
    TurnEnd end = TurnEnd::kStop;
    std::string text;
    TextLogprobs logprobs;
  };

  void started(int index);
  void scored(int index, const std::vector<ScoredText>& prompt);
  void text(int index, const std::string& text, const std::vector<CompletionToken>& tokens);
  void finished(int index, TurnEnd end, const TurnUsage& usage);

  void echo(int index, const std::vector<ScoredText>& scores);
  void give(int index, const std::string& text);
  WireJson choice_json(int index, const std::string& text, const WireJson& finish_reason);
  void complete();
  std::vector<std::shared_ptr<TurnHandle>> release();

  std::mutex mutex_;
  const AnswerHead head_;
  const Shape shape_;
  const std::vector<Prompt> prompts_;
  AnswerSink sink_;
  std::vector<Choice> choices_;
  std::vector<std::shared_ptr<TurnHandle>> handles_;  // while tasks go on: they may hold this
  TurnUsage usage_;
  size_t open_;  // choices that have not ended
  bool over_ = false;
};

}  // namespace minke
