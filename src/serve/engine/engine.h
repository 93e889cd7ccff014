#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/core/error.h"
#include "serve/engine/generate.h"
#include "text/grammar/token_constraint.h"

namespace minke {

struct EngineOptions {
  SessionOptions session;   // `context`: most tokens of a sequence, prompt included
  int64_t sequences = 16;   // that share a forward pass
  bool interactive = true;  // somebody reads along: prompts do not hold up generation for long
  // kPrefill: generated tokens are computed as prompts and in training, so that what they are drawn
  // from is, bit for bit, what a training pass gives them. The cache then also holds full heads,
  // and weights in bfloat16 are held once more, as panels.
  Phase generated_phase = Phase::kDecode;
  int64_t queue = 256;          // requests that may wait for one of these places
  int64_t cache_bytes = 0;      // of keys and values in memory; 0: a quarter of what is free
  std::filesystem::path store;  // folder of the prefixes that survive a restart; "": none
  int64_t store_bytes = 0;      // most bytes of that folder
  std::string store_name;       // tells this model's weights from all others
  // Hears of what hinders the store but not the engine. Called on any thread; must not throw.
  std::function<void(const std::string&)> warn;
};

// What a sequence's cache holds.
KvLayout cache_layout(const Model& model, const EngineOptions& options);

struct TokenProbability {
  int32_t id = 0;
  float log_probability = 0;  // ln, as the model gives it, before temperature and all else
};

struct EngineRequest {
  std::vector<int32_t> prompt;
  GenerationOptions options;
  bool log_probabilities = false;  // of each token that is drawn
  int top = 0;                     // with them, those of so many most likely tokens
  bool score_prompt = false;       // the same of each token of the prompt but the first
  bool generate = true;            // false: end behind the prompt
  std::shared_ptr<TokenConstraint> constraint;  // none: anything may be drawn
  std::string owner;   // prefixes are shared among the requests of one owner only
  std::string caller;  // callers take turns: nothing that a request may choose for itself
};

struct EngineToken {
  int32_t id = 0;
  float log_probability = 0;          // if asked for
  std::vector<TokenProbability> top;  // if asked for, most likely first
};

// What a request has cost, and how it ended.
struct EngineReceipt {
  FinishReason reason = FinishReason::kStop;
  int64_t prompt_tokens = 0;
  int64_t cached_tokens = 0;       // of the prompt, which were not computed
  int64_t generated_tokens = 0;    // without the stop token
  int32_t stop_id = -1;            // the stop token that ended it
  float stop_log_probability = 0;  // its own, if asked for
  double queue_seconds = 0;        // until its first pass
  double prefill_seconds = 0;      // from there to the first token
  double decode_seconds = 0;       // from there to the end
  double cpu_seconds = 0;          // its share of the passes it was part of, by tokens, all threads
};

// Hears of one request: started() once, scored() if asked for, token() for each token but the stop
// token, then finished() or failed(). Called on the engine's thread: must neither wait nor throw.
class EngineListener {
 public:
  virtual ~EngineListener() = default;
  virtual void started(int64_t cached_tokens) = 0;
  // Of the prompt's tokens from the second on.
  virtual void scored(std::span<const EngineToken> prompt) = 0;
  virtual void token(const EngineToken& token) = 0;
  virtual void finished(const EngineReceipt& receipt) = 0;
  virtual void failed(const std::string& message) = 0;
};

struct EngineStats {
  int64_t running = 0, waiting = 0;
  int64_t pages = 0, pages_in_use = 0;  // of the cache; those that sequences hold
  // So far:
  int64_t preempted = 0;  // sequences that gave up their pages to others
  int64_t prompt_tokens = 0, cached_tokens = 0;
  int64_t generated_tokens = 0;                    // stop tokens included
  int64_t stored_pages = 0;                        // read from the folder
  double prefill_seconds = 0, decode_seconds = 0;  // of passes
};

// The boundary between a model and those who serve it: one thread runs the model for everybody.
// Sequences share forward passes; what a request is answered depends on its prompt, options and
// seed alone. All functions may be called from any thread.
class Engine {
 public:
  // The queue is full, or the engine is stopping.
  class Refused : public Error {
   public:
    using Error::Error;
  };

  // The model must outlive it. Throws Error for options that the model or the machine cannot have.
  Engine(const Model& model, const EngineOptions& options);
  // Cancels what is left.
  ~Engine();

  // Returns the request's number. Throws Refused, and Error for a prompt or options that cannot be.
  int64_t submit(EngineRequest request, std::shared_ptr<EngineListener> listener);
  // Ends a request as kCancelled with the pass that is being computed. Unknown numbers and ended
  // requests are no error.
  void cancel(int64_t request);
  // Refuses new requests, and returns when all others have ended or `seconds` have passed; true for
  // the former.
  bool drain(double seconds);

  EngineStats stats() const;
  int64_t context() const;  // most tokens of a sequence
  int threads() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace minke
