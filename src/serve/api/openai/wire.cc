#include "serve/api/openai/wire.h"

#include <algorithm>
#include <cmath>

#include <fmt/core.h>

#include "base/core/utf8.h"
#include "serve/api/api_errors.h"

namespace minke {
namespace {

double per_second(int64_t tokens, double seconds) {
  return seconds > 0 ? static_cast<double>(tokens) / seconds : 0;
}

}  // namespace

WireJson AnswerHead::json() const {
  WireJson json = {{"id", id}, {"object", object}, {"created", created}, {"model", model}};
  if (!fingerprint.empty()) json["system_fingerprint"] = fingerprint;
  return json;
}

AnswerHead answer_head(std::string_view id_prefix, std::string object, std::string model,
                       const OpenAiOptions& options) {
  AnswerHead head;
  head.id = wire_id(id_prefix, options.sources);
  head.object = std::move(object);
  head.created = options.sources.now();
  head.model = std::move(model);
  head.fingerprint = options.fingerprint;
  return head;
}

WireJson usage_json(const TurnUsage& usage) {
  return {{"prompt_tokens", usage.prompt_tokens},
          {"completion_tokens", usage.completion_tokens},
          {"total_tokens", usage.prompt_tokens + usage.completion_tokens},
          {"prompt_cache_hit_tokens", usage.cached_tokens},
          {"prompt_cache_miss_tokens", usage.prompt_tokens - usage.cached_tokens},
          {"prompt_tokens_details", {{"cached_tokens", usage.cached_tokens}}},
          {"completion_tokens_details", {{"reasoning_tokens", usage.reasoning_tokens}}}};
}

WireJson timings_json(const TurnUsage& usage) {
  const int64_t computed = usage.prompt_tokens - usage.cached_tokens;
  // The first token comes with the prompt.
  const int64_t later = std::max<int64_t>(usage.completion_tokens - 1, 0);
  return {{"cache_n", usage.cached_tokens},
          {"prompt_n", computed},
          {"prompt_ms", usage.prefill_seconds * 1000},
          {"prompt_per_second", per_second(computed, usage.prefill_seconds)},
          {"predicted_n", usage.completion_tokens},
          {"predicted_ms", usage.decode_seconds * 1000},
          {"predicted_per_second", per_second(later, usage.decode_seconds)}};
}

double json_logprob(float log_probability) {
  constexpr float kLeast = -9999;
  return std::isfinite(log_probability) ? std::max(log_probability, kLeast) : kLeast;
}

std::string token_text(std::string_view bytes) {
  if (utf8_valid(bytes)) return std::string(bytes);
  std::string text;
  for (const char byte : bytes) {
    text += fmt::format("\\x{:02x}", static_cast<unsigned char>(byte));
  }
  return text;
}

AnswerSink::AnswerSink(std::shared_ptr<HttpReply> reply, bool stream, const IgnoredFields& ignored)
    : reply_(std::move(reply)), headers_(ignored_headers(ignored)), stream_(stream) {}

void AnswerSink::open() {
  if (open_ || ended_ || !stream_) return;
  open_ = true;
  reply_->begin_stream(wire_stream_head(headers_));
}

void AnswerSink::event(const WireJson& json) {
  if (ended_) return;
  open();
  reply_->write(wire_data(wire_text(json)));
}

void AnswerSink::done() {
  if (ended_) return;
  open();
  ended_ = true;
  reply_->write(wire_data("[DONE]"));
  reply_->end();
}

void AnswerSink::send(const WireJson& json) {
  if (ended_) return;
  ended_ = true;
  HttpResponse response;
  response.headers = headers_;
  response.body = wire_text(json);
  reply_->send(std::move(response));
}

void AnswerSink::fail(const ApiError& error) {
  if (ended_) return;
  ended_ = true;
  if (open_) {
    reply_->write(wire_data(openai_error_body(error)));
    reply_->end();
  } else {
    reply_->send(openai_error(error));
  }
}

}  // namespace minke
