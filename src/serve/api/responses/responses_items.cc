#include "serve/api/responses/responses_items.h"

#include <cmath>

namespace minke {
namespace {

// JSON has no infinity. This is what their server gives for a token that cannot be drawn.
constexpr float kLeast = -9999;

WireJson score_json(const std::string& bytes, float log_probability) {
  WireJson codes = WireJson::array();
  for (const char c : bytes) codes.push_back(static_cast<unsigned char>(c));
  return {{"token", bytes},
          {"logprob", std::isfinite(log_probability) ? log_probability : kLeast},
          {"bytes", std::move(codes)}};
}

std::string_view status_name(ResponsesItem::Status status) {
  if (status == ResponsesItem::Status::kInProgress) return "in_progress";
  return status == ResponsesItem::Status::kCompleted ? "completed" : "incomplete";
}

}  // namespace

WireJson responses_scores_json(const std::vector<ScoredText>& scores) {
  WireJson list = WireJson::array();
  for (const ScoredText& score : scores) {
    WireJson json = score_json(score.bytes, score.log_probability);
    json["top_logprobs"] = WireJson::array();
    for (const auto& [bytes, log_probability] : score.top) {
      json["top_logprobs"].push_back(score_json(bytes, log_probability));
    }
    list.push_back(std::move(json));
  }
  return list;
}

WireJson responses_part_json(const ResponsesItem& item) {
  if (item.kind == ResponsesItem::Kind::kReasoning) {
    return {{"type", "reasoning_text"}, {"text", item.text}};
  }
  return {{"type", "output_text"},
          {"text", item.text},
          {"annotations", WireJson::array()},
          {"logprobs", responses_scores_json(item.scores)}};
}

WireJson responses_item_json(const ResponsesItem& item) {
  WireJson json = {{"id", item.id}};
  if (item.kind == ResponsesItem::Kind::kCall) {
    json["type"] = "function_call";
    json["call_id"] = item.call_id;
    json["name"] = item.name;
    json["arguments"] = item.text;
  } else {
    const bool reasoning = item.kind == ResponsesItem::Kind::kReasoning;
    json["type"] = reasoning ? "reasoning" : "message";
    if (reasoning) json["summary"] = WireJson::array();
    if (!reasoning) json["role"] = "assistant";
    json["content"] = WireJson::array();
    // An item without text has just begun.
    if (!item.text.empty()) json["content"].push_back(responses_part_json(item));
  }
  json["status"] = status_name(item.status);
  return json;
}

WireJson responses_usage_json(const TurnUsage& usage) {
  return {
      {"input_tokens", usage.prompt_tokens},
      {"input_tokens_details", {{"cached_tokens", usage.cached_tokens}, {"cache_write_tokens", 0}}},
      {"output_tokens", usage.completion_tokens},
      {"output_tokens_details", {{"reasoning_tokens", usage.reasoning_tokens}}},
      {"total_tokens", usage.prompt_tokens + usage.completion_tokens}};
}

}  // namespace minke
