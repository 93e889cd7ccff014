#include <algorithm>

#include "serve/api/api_errors.h"
#include "serve/api/completions/completion_runner.h"

namespace minke {

CompletionStream::CompletionStream(const Tokenizer& tokenizer, const Options& options,
                                   std::shared_ptr<CompletionListener> listener)
    : tokenizer_(&tokenizer),
      options_(options),
      listener_(std::move(listener)),
      decoder_(tokenizer),
      stop_text_(options.stops) {}

ScoredText CompletionStream::scored_text(const EngineToken& token) const {
  ScoredText scored;
  scored.bytes = tokenizer_->bytes(token.id, true);
  scored.log_probability = token.log_probability;
  for (const TokenProbability& top : token.top) {
    scored.top.emplace_back(tokenizer_->bytes(top.id, true), top.log_probability);
  }
  return scored;
}

void CompletionStream::started(int64_t cached_tokens) {
  listener_->started(options_.prompt_tokens, cached_tokens);
}

void CompletionStream::scored(std::span<const EngineToken> prompt) {
  std::vector<ScoredText> scored;
  scored.reserve(prompt.size());
  for (const EngineToken& token : prompt) scored.push_back(scored_text(token));
  listener_->scored(std::move(scored));
}

void CompletionStream::stop() {
  stopped_ = true;
  options_.cancel();
}

void CompletionStream::token(const EngineToken& token) {
  if (stopped_) return;
  const auto& ids = options_.stop_ids;
  const bool ends = std::ranges::find(ids, token.id) != ids.end();
  if (options_.log_probabilities) {
    const bool hidden = tokenizer_->bytes(token.id).empty();
    waiting_.push_back({{scored_text(token), hidden || ends}, decoded_});
  }
  if (ends) return stop();
  ++tokens_;
  const std::string piece = decoder_.add(token.id);
  decoded_ += piece.size();
  give(stop_text_.add(piece), false);
  if (stop_text_.stopped()) {
    // What is left belongs to the stop string.
    waiting_.clear();
    stop();
  }
}

// Tokens go with the text that they begin; `all`: no text is held back any more.
void CompletionStream::give(std::string text, bool all) {
  given_ += text.size();
  const auto first = std::ranges::find_if(
      waiting_, [&](const Waiting& one) { return !all && one.begin >= given_; });
  std::vector<CompletionToken> tokens;
  for (auto one = waiting_.begin(); one != first; ++one) tokens.push_back(std::move(one->token));
  waiting_.erase(waiting_.begin(), first);
  if (!text.empty() || !tokens.empty()) listener_->text(std::move(text), std::move(tokens));
}

void CompletionStream::finished(const EngineReceipt& receipt) {
  const bool stop_string = stop_text_.stopped();
  if (!stop_string) {
    std::string rest = stop_text_.add(decoder_.finish());
    const bool late = stop_text_.stopped();
    if (!late) rest += stop_text_.finish();
    give(std::move(rest), !late);
    stopped_ |= late;
  }
  TurnEnd end = TurnEnd::kStop;
  if (!stopped_ && receipt.reason == FinishReason::kLength) end = TurnEnd::kLength;
  if (!stopped_ && receipt.reason == FinishReason::kCancelled) end = TurnEnd::kCancelled;
  TurnUsage usage;
  usage.prompt_tokens = receipt.prompt_tokens;
  usage.cached_tokens = receipt.cached_tokens;
  usage.completion_tokens = tokens_;
  usage.queue_seconds = receipt.queue_seconds;
  usage.prefill_seconds = receipt.prefill_seconds;
  usage.decode_seconds = receipt.decode_seconds;
  usage.cpu_seconds = receipt.cpu_seconds;
  listener_->finished(end, usage);
}

void CompletionStream::failed(const std::string& message) {
  listener_->failed(api_error(500, message));
}

}  // namespace minke
