#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "serve/api/request_reader.h"
#include "serve/api/turn.h"
#include "serve/api/wire_reply.h"
#include "serve/http/server.h"

namespace minke {

// What OpenAI's chat and completion answers have in common, DeepSeek's additions included. Sources:
// OpenAI's openapi.json of 2026-08-21, api-docs.deepseek.com.

// Under which name thinking is told.
enum class ReasoningField { kReasoningContent, kReasoning, kBoth };

struct OpenAiOptions {
  float temperature = 1;  // of requests that do not say
  float top_p = 1;
  int top_k = 0;
  float min_p = 0;
  ReasoningField reasoning = ReasoningField::kReasoningContent;
  std::string fingerprint;           // system_fingerprint: of engine, weights and kernels; "": none
  std::vector<std::string> aliases;  // names of the model besides model_name()
  bool any_model = true;             // requests for other names are answered by this model
  WireSources sources;
};

// What all pieces of one answer begin with.
struct AnswerHead {
  std::string id;
  std::string object;  // "chat.completion"
  int64_t created = 0;
  std::string model;
  std::string fingerprint;
  WireJson json() const;
};
AnswerHead answer_head(std::string_view id_prefix, std::string object, std::string model,
                       const OpenAiOptions& options);

// {"prompt_tokens", ...}: OpenAI's fields, and DeepSeek's prompt_cache_hit_tokens and
// prompt_cache_miss_tokens, whose sum is prompt_tokens.
WireJson usage_json(const TurnUsage& usage);
// {"cache_n", "prompt_n", "prompt_ms", "prompt_per_second", "predicted_n", ...}.
WireJson timings_json(const TurnUsage& usage);

// A logarithm of a probability as a number that JSON has: -9999 for that of 0.
double json_logprob(float log_probability);
// The text of a token; bytes that are no UTF-8 by themselves as \xNN, all of them.
std::string token_text(std::string_view bytes);

// Where an answer goes: one JSON body, or an event stream. Ends once; what comes later is dropped.
// Not thread-safe.
class AnswerSink {
 public:
  AnswerSink(std::shared_ptr<HttpReply> reply, bool stream, const IgnoredFields& ignored);

  bool streams() const { return stream_; }
  bool ended() const { return ended_; }
  // Sends the head of a stream, once.
  void open();
  void event(const WireJson& json);
  // Ends a stream with [DONE].
  void done();
  // The whole answer, where there is no stream.
  void send(const WireJson& json);
  // An error response; in a stream that is open an event with the error, and no [DONE].
  void fail(const ApiError& error);

 private:
  std::shared_ptr<HttpReply> reply_;
  HttpHeaders headers_;
  bool stream_;
  bool open_ = false;
  bool ended_ = false;
};

}  // namespace minke
