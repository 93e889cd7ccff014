#pragma once

#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "serve/engine/engine.h"
#include "text/chat/chat.h"

namespace minke {

// What goes wrong with a request. Each wire format has its own way to write it.
struct ApiError {
  int status = 400;
  std::string type = "invalid_request_error";
  std::string message;
  std::string param;       // the field, "messages[2].role"; "": none
  std::string code;        // "context_length_exceeded"; "": none
  double retry_after = 0;  // seconds; 0: not said
};

// Thrown by whoever reads a request.
class ApiFailure : public std::exception {
 public:
  explicit ApiFailure(ApiError error) : error_(std::move(error)) {}
  const ApiError& error() const { return error_; }
  const char* what() const noexcept override { return error_.message.c_str(); }

 private:
  ApiError error_;
};

enum class ToolChoice { kAuto, kNone, kRequired, kNamed };
enum class TextFormat { kText, kJsonObject, kJsonSchema, kGrammar };

// One reply that a client wants, in the terms of no wire format: all of them are read into it.
struct TurnRequest {
  std::string model;  // as the client wrote it
  Conversation conversation;
  bool continue_last = false;  // the last message is the assistant's own, to be gone on with
  SamplingOptions sampling;
  int64_t max_tokens = 0;  // thinking included; 0: as many as the context has room for
  int64_t min_tokens = 0;  // see GenerationOptions, as is ignore_stop
  bool ignore_stop = false;
  std::vector<std::string> stops;
  int choices = 1;
  bool log_probabilities = false;
  int top = 0;
  std::vector<bool> strict_tools;  // of each of conversation.tools: arguments follow its schema
  ToolChoice tool_choice = ToolChoice::kAuto;
  std::string named_tool;
  bool parallel_tools = true;
  TextFormat format = TextFormat::kText;
  std::string format_text;  // JSON Schema or EBNF
  std::string owner;        // see EngineRequest; the caller's key and the user that it named
  std::string caller;       // see EngineRequest; the key alone
};

// ln of probabilities, with the text a token stands for.
struct ScoredText {
  std::string bytes;
  float log_probability = 0;
  std::vector<std::pair<std::string, float>> top;  // most likely first
};

// A piece of a choice. Text is whole UTF-8. `scores` are those of the tokens that became text in
// this piece, the thinking's left out.
struct TurnDelta {
  std::string reasoning;
  std::string content;
  // Calls begin with a piece that has `name`; the pieces of one call's arguments, joined, are a
  // JSON text. `call` counts from 0 within the choice.
  struct CallPiece {
    int call = 0;
    std::string id;  // "call_...", with the name
    std::string name;
    std::string arguments;
  };
  std::vector<CallPiece> calls;
  std::vector<ScoredText> scores;
};

enum class TurnEnd { kStop, kLength, kToolCalls, kCancelled };

struct TurnUsage {
  int64_t prompt_tokens = 0;
  int64_t cached_tokens = 0;
  int64_t completion_tokens = 0;  // thinking included, all choices
  int64_t reasoning_tokens = 0;
  double queue_seconds = 0, prefill_seconds = 0, decode_seconds = 0, cpu_seconds = 0;
};

// Hears of a turn: started() once, delta() and ended() of each choice, then finished(); or failed()
// at any point. Called on the engine's thread: must neither wait nor throw.
class TurnListener {
 public:
  virtual ~TurnListener() = default;
  virtual void started(int64_t prompt_tokens, int64_t cached_tokens) = 0;
  virtual void delta(int choice, const TurnDelta& delta) = 0;
  // `stop`: the text of the stop sequence that ended it, "" if none did.
  virtual void ended(int choice, TurnEnd end, const std::string& stop) = 0;
  virtual void finished(const TurnUsage& usage) = 0;
  virtual void failed(const ApiError& error) = 0;
};

// Stops the turn when asked to; dropping it does not.
class TurnHandle {
 public:
  virtual ~TurnHandle() = default;
  virtual void cancel() = 0;
};

// Who turns requests into tokens and back. Wire formats see this and nothing of the engine.
class TurnRunner {
 public:
  virtual ~TurnRunner() = default;
  // Throws ApiFailure for what can be known to be wrong: a prompt that does not fit, a schema that
  // is not understood, a full queue.
  virtual std::shared_ptr<TurnHandle> start(TurnRequest request,
                                            std::shared_ptr<TurnListener> listener) = 0;
  // Tokens of the prompt that `request` would make.
  virtual int64_t count_tokens(const TurnRequest& request) = 0;
  virtual std::string model_name() const = 0;  // what answers call the model
  virtual int64_t context() const = 0;
};

}  // namespace minke
