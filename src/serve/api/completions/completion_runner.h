#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "serve/api/stop_text.h"
#include "serve/api/turn.h"
#include "serve/engine/engine.h"
#include "text/tokenizer/tokenizer.h"

namespace minke {

// Raw text gone on with, for formats without messages: what TurnRunner is for chats.

// One continuation of one prompt.
struct CompletionTask {
  std::vector<int32_t> prompt;
  SamplingOptions sampling;
  int64_t max_tokens = 1;  // 0: the prompt is computed, and nothing behind it
  int64_t min_tokens = 0;
  bool ignore_stop = false;
  std::vector<std::string> stops;
  bool log_probabilities = false;
  int top = 0;
  bool score_prompt = false;  // with log_probabilities
  std::string owner, caller;  // see EngineRequest
};

// A token with its score. A hidden one, such as that which ends a text, is no part of the text.
struct CompletionToken {
  ScoredText score;
  bool hidden = false;
};

// Hears of one task: started(), scored() if asked for, text() any number of times, finished(); or
// failed() at any point. Called on the engine's thread: must neither wait nor throw.
class CompletionListener {
 public:
  virtual ~CompletionListener() = default;
  virtual void started(int64_t prompt_tokens, int64_t cached_tokens) = 0;
  // Of the prompt's tokens from the second on.
  virtual void scored(std::vector<ScoredText> prompt) = 0;
  // Text is whole UTF-8 and ends before a stop string; `tokens` are those that begin in it, or are
  // hidden, if log-probabilities are asked for.
  virtual void text(std::string text, std::vector<CompletionToken> tokens) = 0;
  virtual void finished(TurnEnd end, const TurnUsage& usage) = 0;
  virtual void failed(const ApiError& error) = 0;
};

struct EncodedPrompt {
  std::vector<int32_t> ids;
  size_t before = 0, after = 0;  // tokens at its ends that are no part of the text
};

class CompletionRunner {
 public:
  virtual ~CompletionRunner() = default;
  // Control tokens that `text` spells are control tokens. `ends`: with the tokens that the model
  // expects at a text's ends.
  virtual EncodedPrompt encode(std::string_view text, bool ends) const = 0;
  // The prompt for the text between `before` and `behind`; nothing if the model was not made for
  // that.
  virtual std::optional<EncodedPrompt> encode_gap(std::string_view before,
                                                  std::string_view behind) const = 0;
  // The bytes of a token, control tokens spelled out; "" if it is none.
  virtual std::string_view bytes(int32_t id) const = 0;
  // Throws ApiFailure, Engine::Refused and Error for what can be known to be wrong.
  virtual std::shared_ptr<TurnHandle> start(CompletionTask task,
                                            std::shared_ptr<CompletionListener> listener) = 0;
  virtual std::string model_name() const = 0;
  virtual int64_t context() const = 0;
};

// Turns the tokens of one task into text: the engine's listener, and the task's narrator.
class CompletionStream : public EngineListener {
 public:
  struct Options {
    int64_t prompt_tokens = 0;
    std::vector<std::string> stops;
    std::vector<int32_t> stop_ids;  // that end the text here, as the engine gives them like others
    bool log_probabilities = false;
    std::function<void()> cancel;  // ends the task in the engine
  };
  // `tokenizer` must outlive it.
  CompletionStream(const Tokenizer& tokenizer, const Options& options,
                   std::shared_ptr<CompletionListener> listener);

  void started(int64_t cached_tokens) override;
  void scored(std::span<const EngineToken> prompt) override;
  void token(const EngineToken& token) override;
  void finished(const EngineReceipt& receipt) override;
  void failed(const std::string& message) override;

 private:
  struct Waiting {
    CompletionToken token;
    size_t begin;  // bytes of text before it
  };
  ScoredText scored_text(const EngineToken& token) const;
  void give(std::string text, bool all);
  void stop();

  const Tokenizer* tokenizer_;
  Options options_;
  std::shared_ptr<CompletionListener> listener_;
  StreamDecoder decoder_;
  StopText stop_text_;
  std::vector<Waiting> waiting_;    // tokens whose text is held back
  size_t decoded_ = 0, given_ = 0;  // bytes of text
  int64_t tokens_ = 0;
  bool stopped_ = false;
};

// Over an engine and a tokenizer, which must outlive it.
class EngineCompletions : public CompletionRunner {
 public:
  // `usual`: stop_ids and allowed of every task.
  EngineCompletions(Engine& engine, const Tokenizer& tokenizer, GenerationOptions usual,
                    std::string model_name);

  EncodedPrompt encode(std::string_view text, bool ends) const override;
  std::optional<EncodedPrompt> encode_gap(std::string_view before,
                                          std::string_view behind) const override;
  std::string_view bytes(int32_t id) const override;
  std::shared_ptr<TurnHandle> start(CompletionTask task,
                                    std::shared_ptr<CompletionListener> listener) override;
  std::string model_name() const override { return model_name_; }
  int64_t context() const override;

 private:
  Engine* engine_;
  const Tokenizer* tokenizer_;
  GenerationOptions usual_;
  std::string model_name_;
};

// encode() and encode_gap() of EngineCompletions.
EncodedPrompt encode_text(const Tokenizer& tokenizer, std::string_view text, bool ends);
// Knows the markers of DeepSeek-Coder and V3, of Qwen, and of StarCoder.
std::optional<EncodedPrompt> encode_gap(const Tokenizer& tokenizer, std::string_view before,
                                        std::string_view behind);

}  // namespace minke
