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

std::string json_line(const OrderedJson& json) {
  return json.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

std::string event_data(std::string_view json) {
  return fmt::format("data: {}\n\n", json);
}

std::string new_id(std::string_view prefix, const std::function<uint64_t()>& random) {
  constexpr std::string_view kDigits =
      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  std::string id(prefix);
  for (int word = 0; word < 3; ++word) {
    uint64_t bits = random();
    for (int digit = 0; digit < 8; ++digit) {
      id += kDigits[bits % kDigits.size()];
      bits /= kDigits.size();
    }
  }
  return id;
}

OrderedJson AnswerHead::json() const {
  OrderedJson json = {{"id", id}, {"object", object}, {"created", created}, {"model", model}};
  if (!fingerprint.empty()) json["system_fingerprint"] = fingerprint;
  return json;
}

AnswerHead answer_head(std::string_view id_prefix, std::string object, std::string model,
                       const OpenAiOptions& options) {
  AnswerHead head;
  head.id = new_id(id_prefix, options.random);
  head.object = std::move(object);
  head.created = options.clock();
  head.model = std::move(model);
  head.fingerprint = options.fingerprint;
  return head;
}

OrderedJson usage_json(const TurnUsage& usage) {
  return {{"prompt_tokens", usage.prompt_tokens},
          {"completion_tokens", usage.completion_tokens},
          {"total_tokens", usage.prompt_tokens + usage.completion_tokens},
          {"prompt_cache_hit_tokens", usage.cached_tokens},
          {"prompt_cache_miss_tokens", usage.prompt_tokens - usage.cached_tokens},
          {"prompt_tokens_details", {{"cached_tokens", usage.cached_tokens}}},
          {"completion_tokens_details", {{"reasoning_tokens", usage.reasoning_tokens}}}};
}

OrderedJson timings_json(const TurnUsage& usage) {
  const int64_t computed = usage.prompt_tokens - usage.cached_tokens;
  return {{"cache_n", usage.cached_tokens},
          {"prompt_n", computed},
          {"prompt_ms", usage.prefill_seconds * 1000},
          {"prompt_per_second", per_second(computed, usage.prefill_seconds)},
          {"predicted_n", usage.completion_tokens},
          {"predicted_ms", usage.decode_seconds * 1000},
          {"predicted_per_second", per_second(usage.completion_tokens, usage.decode_seconds)}};
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
    : reply_(std::move(reply)), ignored_(ignored.header()), stream_(stream) {}

HttpHeaders AnswerSink::headers() const {
  HttpHeaders headers;
  if (!ignored_.empty()) headers.emplace_back("x-ignored-params", ignored_);
  return headers;
}

void AnswerSink::open() {
  if (open_ || ended_ || !stream_) return;
  open_ = true;
  HttpResponse head;
  head.content_type = "text/event-stream; charset=utf-8";
  head.headers = headers();
  head.headers.emplace_back("Cache-Control", "no-cache");
  head.headers.emplace_back("X-Accel-Buffering", "no");
  reply_->begin_stream(std::move(head));
}

void AnswerSink::event(const OrderedJson& json) {
  if (ended_) return;
  open();
  reply_->write(event_data(json_line(json)));
}

void AnswerSink::done() {
  if (ended_) return;
  open();
  ended_ = true;
  reply_->write(event_data("[DONE]"));
  reply_->end();
}

void AnswerSink::send(const OrderedJson& json) {
  if (ended_) return;
  ended_ = true;
  HttpResponse response;
  response.headers = headers();
  response.body = json_line(json);
  reply_->send(std::move(response));
}

void AnswerSink::fail(const ApiError& error) {
  if (ended_) return;
  ended_ = true;
  if (open_) {
    reply_->write(event_data(openai_error_body(error)));
    reply_->end();
  } else {
    reply_->send(openai_error(error));
  }
}

}  // namespace minke
