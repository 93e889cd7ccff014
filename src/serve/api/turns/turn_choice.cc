#include "serve/api/turns/turn_choice.h"

#include <algorithm>
#include <utility>

#include <fmt/core.h>

#include "serve/api/api_errors.h"

namespace minke {

void TurnState::add_request(int64_t number) {
  bool cancelled = false;
  {
    const std::lock_guard lock(mutex_);
    const int choice = static_cast<int>(requests_.size());
    requests_.push_back(number);
    const auto& early = cancelled_choices_;
    cancelled = cancelled_ || std::find(early.begin(), early.end(), choice) != early.end();
  }
  if (cancelled) engine_.cancel(number);
}

void TurnState::cancel() {
  std::vector<int64_t> requests;
  {
    const std::lock_guard lock(mutex_);
    cancelled_ = true;
    requests = requests_;
  }
  for (const int64_t number : requests) engine_.cancel(number);
}

void TurnState::cancel_choice(int choice) {
  int64_t number = 0;
  {
    const std::lock_guard lock(mutex_);
    if (static_cast<size_t>(choice) >= requests_.size()) {
      cancelled_choices_.push_back(choice);
      return;
    }
    number = requests_[static_cast<size_t>(choice)];
  }
  engine_.cancel(number);
}

void TurnState::abandon() {
  silent_ = true;
  cancel();
}

void TurnState::started(int64_t cached_tokens) {
  // Choices after the first find in the cache what the first has computed; the client sent the
  // prompt once, and is told of the first.
  if (std::exchange(started_, true)) return;
  usage_.cached_tokens = cached_tokens;
  if (silent_) return;
  listener_->started(usage_.prompt_tokens, cached_tokens);
}

void TurnState::delta(int choice, const TurnDelta& delta) {
  if (!silent_) listener_->delta(choice, delta);
}

void TurnState::ended(int choice, TurnEnd end, const std::string& stop,
                      const EngineReceipt& receipt, int64_t reasoning_tokens) {
  usage_.completion_tokens += receipt.generated_tokens;
  usage_.reasoning_tokens += reasoning_tokens;
  usage_.queue_seconds = std::max(usage_.queue_seconds, receipt.queue_seconds);
  usage_.prefill_seconds = std::max(usage_.prefill_seconds, receipt.prefill_seconds);
  usage_.decode_seconds = std::max(usage_.decode_seconds, receipt.decode_seconds);
  usage_.cpu_seconds += receipt.cpu_seconds;
  if (silent_) return;
  listener_->ended(choice, end, stop);
  if (--open_choices_ > 0) return;
  listener_->finished(usage_);
}

void TurnState::failed(const std::string& message) {
  if (silent_.exchange(true)) return;
  listener_->failed(api_error(500, message));
  cancel();
}

TurnChoice::TurnChoice(std::shared_ptr<TurnState> turn, int index, const Tokenizer& tokenizer,
                       ReplyParser parser, const std::vector<std::string>& stops, bool with_scores,
                       bool one_call, std::string call_prefix)
    : turn_(std::move(turn)),
      index_(index),
      tokenizer_(tokenizer),
      parser_(std::move(parser)),
      stop_(stops),
      with_scores_(with_scores),
      one_call_(one_call),
      call_prefix_(std::move(call_prefix)) {}

ScoredText TurnChoice::scored_text(const EngineToken& token) const {
  ScoredText scored{std::string(tokenizer_.bytes(token.id, true)), token.log_probability, {}};
  for (const TokenProbability& t : token.top) {
    scored.top.emplace_back(std::string(tokenizer_.bytes(t.id, true)), t.log_probability);
  }
  return scored;
}

void TurnChoice::token(const EngineToken& token) {
  if (stop_.stopped() || called_) return;
  ReplyDelta delta = parser_.add(token.id);
  const bool thinks = !delta.reasoning.empty();
  if (thinks && delta.content.empty()) {
    ++reasoning_tokens_;
    scores_.clear();
  } else if (with_scores_) {
    scores_.push_back(scored_text(token));
  }
  give(std::move(delta), false);
}

void TurnChoice::give(ReplyDelta delta, bool last) {
  TurnDelta out;
  out.reasoning = std::move(delta.reasoning);
  out.content = stop_.add(delta.content);
  if (last) out.content += stop_.finish();
  for (ToolCall& call : delta.tool_calls) {
    if (called_) break;
    called_ = one_call_;
    out.calls.push_back({calls_, fmt::format("{}{}", call_prefix_, calls_), std::move(call.name),
                         std::move(call.arguments)});
    ++calls_;
  }
  if (!out.content.empty()) std::swap(out.scores, scores_);
  const bool empty = out.reasoning.empty() && out.content.empty() && out.calls.empty();
  if (!empty) turn_->delta(index_, out);
  if ((stop_.stopped() || called_) && !last) turn_->cancel_choice(index_);
}

void TurnChoice::finished(const EngineReceipt& receipt) {
  if (!stop_.stopped() && !called_) give(parser_.finish(), true);
  TurnEnd end = TurnEnd::kStop;
  if (stop_.stopped()) {
    end = TurnEnd::kStop;
  } else if (called_) {
    end = TurnEnd::kToolCalls;
  } else if (receipt.reason == FinishReason::kCancelled) {
    end = TurnEnd::kCancelled;
  } else if (receipt.reason == FinishReason::kLength) {
    end = TurnEnd::kLength;
  } else if (calls_ > 0) {
    end = TurnEnd::kToolCalls;
  }
  turn_->ended(index_, end, stop_.found(), receipt, reasoning_tokens_);
}

}  // namespace minke
