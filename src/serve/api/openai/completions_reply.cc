#include "serve/api/openai/completions_reply.h"

#include <algorithm>
#include <utility>

#include "serve/api/api_errors.h"

namespace minke {
namespace {

int64_t code_points(std::string_view bytes) {
  return std::ranges::count_if(
      bytes, [](char byte) { return (static_cast<unsigned char>(byte) & 0xc0) != 0x80; });
}

// As OpenAI marks tokens that are no text by themselves.
std::string name_of(std::string_view bytes) {
  std::string text = token_text(bytes);
  return text == bytes ? text : "bytes:" + text;
}

}  // namespace

void TextLogprobs::place(std::string_view bytes, bool hidden) {
  tokens_.push_back(name_of(bytes));
  offsets_.push_back(offset_);
  if (!hidden) offset_ += code_points(bytes);
}

void TextLogprobs::add_unscored(std::string_view bytes, bool hidden) {
  place(bytes, hidden);
  scores_.push_back(nullptr);
  tops_.push_back(nullptr);
}

void TextLogprobs::add(const ScoredText& token, bool hidden) {
  place(token.bytes, hidden);
  scores_.push_back(json_logprob(token.log_probability));
  // Tokens of the same text share a name: the most likely one's score stands there.
  WireJson top = WireJson::object();
  for (const auto& [bytes, log_probability] : token.top) {
    top.emplace(name_of(bytes), json_logprob(log_probability));
  }
  top.emplace(name_of(token.bytes), json_logprob(token.log_probability));
  tops_.push_back(std::move(top));
}

WireJson TextLogprobs::take() {
  WireJson json = {{"tokens", std::move(tokens_)},
                   {"token_logprobs", std::move(scores_)},
                   {"top_logprobs", std::move(tops_)},
                   {"text_offset", std::move(offsets_)}};
  tokens_ = scores_ = tops_ = offsets_ = WireJson::array();
  return json;
}

class CompletionReply::Narrator : public CompletionListener {
 public:
  Narrator(std::shared_ptr<CompletionReply> reply, int index)
      : reply_(std::move(reply)), index_(index) {}
  void started(int64_t /*prompt_tokens*/, int64_t /*cached_tokens*/) override {
    reply_->started(index_);
  }
  void scored(std::vector<ScoredText> prompt) override { reply_->scored(index_, prompt); }
  void text(std::string text, std::vector<CompletionToken> tokens) override {
    reply_->text(index_, text, tokens);
  }
  void finished(TurnEnd end, const TurnUsage& usage) override {
    reply_->finished(index_, end, usage);
  }
  void failed(const ApiError& error) override { reply_->failed(error); }

 private:
  std::shared_ptr<CompletionReply> reply_;
  int index_;
};

CompletionReply::CompletionReply(AnswerHead head, const Shape& shape, std::vector<Prompt> prompts,
                                 AnswerSink sink)
    : head_(std::move(head)),
      shape_(shape),
      prompts_(std::move(prompts)),
      sink_(std::move(sink)),
      choices_(prompts_.size() * static_cast<size_t>(shape.choices)),
      open_(choices_.size()) {
  for (const Prompt& prompt : prompts_) {
    usage_.prompt_tokens += static_cast<int64_t>(prompt.encoded.ids.size());
  }
}

std::shared_ptr<CompletionListener> CompletionReply::listener(int index) {
  return std::make_shared<Narrator>(shared_from_this(), index);
}

void CompletionReply::accepted(std::shared_ptr<TurnHandle> handle) {
  {
    const std::lock_guard lock(mutex_);
    if (!over_) {
      handles_.push_back(std::move(handle));
      if (handles_.size() == choices_.size()) sink_.open();
      return;
    }
  }
  // Another of the tasks has failed meanwhile.
  handle->cancel();
}

std::vector<std::shared_ptr<TurnHandle>> CompletionReply::release() {
  over_ = true;
  return std::exchange(handles_, {});
}

void CompletionReply::cancel() {
  std::vector<std::shared_ptr<TurnHandle>> handles;
  {
    const std::lock_guard lock(mutex_);
    handles = handles_;
  }
  for (const auto& handle : handles) handle->cancel();
}

void CompletionReply::failed(const ApiError& error) {
  std::vector<std::shared_ptr<TurnHandle>> handles;
  {
    const std::lock_guard lock(mutex_);
    if (over_) return;
    handles = release();
    sink_.fail(error);
  }
  for (const auto& handle : handles) handle->cancel();
}

void CompletionReply::started(int index) {
  const std::lock_guard lock(mutex_);
  if (!shape_.score_prompt) echo(index, {});
}

void CompletionReply::scored(int index, const std::vector<ScoredText>& prompt) {
  const std::lock_guard lock(mutex_);
  echo(index, prompt);
}

void CompletionReply::echo(int index, const std::vector<ScoredText>& scores) {
  Choice& choice = choices_.at(static_cast<size_t>(index));
  if (choice.echoed || !shape_.echo || over_) return;
  choice.echoed = true;
  const Prompt& prompt = prompts_[static_cast<size_t>(index / shape_.choices)];
  if (shape_.score_prompt) {
    const size_t size = prompt.encoded.ids.size();
    choice.logprobs.add_unscored(prompt.first, prompt.encoded.before > 0);
    size_t at = 0;
    for (const ScoredText& score : scores) {
      ++at;
      const bool hidden = at < prompt.encoded.before || at + prompt.encoded.after >= size;
      choice.logprobs.add(score, hidden);
    }
  }
  give(index, prompt.text);
}

void CompletionReply::text(int index, const std::string& text,
                           const std::vector<CompletionToken>& tokens) {
  const std::lock_guard lock(mutex_);
  if (over_) return;
  echo(index, {});
  Choice& choice = choices_.at(static_cast<size_t>(index));
  for (const CompletionToken& token : tokens) choice.logprobs.add(token.score, token.hidden);
  give(index, text);
}

// Log-probabilities that have come since the last piece go with it.
void CompletionReply::give(int index, const std::string& text) {
  if (!sink_.streams()) {
    choices_.at(static_cast<size_t>(index)).text += text;
    return;
  }
  WireJson json = head_.json();
  json["choices"] = WireJson::array({choice_json(index, text, nullptr)});
  if (shape_.include_usage) json["usage"] = nullptr;
  sink_.event(json);
}

WireJson CompletionReply::choice_json(int index, const std::string& text,
                                      const WireJson& finish_reason) {
  WireJson json = {{"index", index}, {"text", text}, {"logprobs", nullptr}};
  if (shape_.log_probabilities) {
    json["logprobs"] = choices_.at(static_cast<size_t>(index)).logprobs.take();
  }
  json["finish_reason"] = finish_reason;
  return json;
}

void CompletionReply::finished(int index, TurnEnd end, const TurnUsage& usage) {
  if (end == TurnEnd::kCancelled) return failed(cancelled_error());
  const std::lock_guard lock(mutex_);
  Choice& choice = choices_.at(static_cast<size_t>(index));
  if (over_ || choice.ended) return;
  echo(index, {});
  choice.ended = true;
  choice.end = end;
  if (index % shape_.choices == 0) usage_.cached_tokens += usage.cached_tokens;
  usage_.completion_tokens += usage.completion_tokens;
  // Tasks go on side by side.
  usage_.prefill_seconds = std::max(usage_.prefill_seconds, usage.prefill_seconds);
  usage_.decode_seconds = std::max(usage_.decode_seconds, usage.decode_seconds);
  if (sink_.streams()) {
    WireJson json = head_.json();
    const char* const reason = choice.end == TurnEnd::kLength ? "length" : "stop";
    json["choices"] = WireJson::array({choice_json(index, "", reason)});
    if (shape_.include_usage) json["usage"] = nullptr;
    sink_.event(json);
  }
  if (--open_ == 0) complete();
}

void CompletionReply::complete() {
  release();
  WireJson json = head_.json();
  WireJson choices = WireJson::array();
  if (!sink_.streams()) {
    int index = 0;
    for (const Choice& choice : choices_) {
      const char* const reason = choice.end == TurnEnd::kLength ? "length" : "stop";
      choices.push_back(choice_json(index++, choice.text, reason));
    }
  }
  json["choices"] = std::move(choices);
  json["usage"] = usage_json(usage_);
  json["timings"] = timings_json(usage_);
  if (!sink_.streams()) return sink_.send(json);
  if (shape_.include_usage) sink_.event(json);
  sink_.done();
}

}  // namespace minke
