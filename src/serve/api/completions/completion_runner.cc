#include "serve/api/completions/completion_runner.h"

#include <mutex>

namespace minke {
namespace {

// A request of the engine, which may be asked to end before its number is known.
class EngineTask : public TurnHandle {
 public:
  explicit EngineTask(Engine& engine) : engine_(&engine) {}

  void cancel() override {
    {
      const std::lock_guard lock(mutex_);
      cancelled_ = true;
      if (number_ < 0) return;
    }
    engine_->cancel(number_);
  }

  void submitted(int64_t number) {
    {
      const std::lock_guard lock(mutex_);
      number_ = number;
      if (!cancelled_) return;
    }
    engine_->cancel(number);
  }

 private:
  Engine* engine_;
  std::mutex mutex_;
  int64_t number_ = -1;  // set once
  bool cancelled_ = false;
};

}  // namespace

EngineCompletions::EngineCompletions(Engine& engine, const Tokenizer& tokenizer,
                                     GenerationOptions usual, std::string model_name)
    : engine_(&engine),
      tokenizer_(&tokenizer),
      usual_(std::move(usual)),
      model_name_(std::move(model_name)) {}

EncodedPrompt EngineCompletions::encode(std::string_view text, bool ends) const {
  return encode_text(*tokenizer_, text, ends);
}

std::optional<EncodedPrompt> EngineCompletions::encode_gap(std::string_view before,
                                                           std::string_view behind) const {
  return minke::encode_gap(*tokenizer_, before, behind);
}

std::string_view EngineCompletions::bytes(int32_t id) const {
  return tokenizer_->bytes(id, true);
}

int64_t EngineCompletions::context() const {
  return engine_->context();
}

std::shared_ptr<TurnHandle> EngineCompletions::start(CompletionTask task,
                                                     std::shared_ptr<CompletionListener> listener) {
  EngineRequest request;
  request.options = usual_;
  request.options.sampling = task.sampling;
  request.options.max_tokens = task.max_tokens;
  request.generate = task.max_tokens > 0;
  request.options.min_tokens = task.min_tokens;
  request.options.ignore_stop = task.ignore_stop;
  request.log_probabilities = task.log_probabilities;
  request.top = task.top;
  request.score_prompt = task.score_prompt;
  request.owner = std::move(task.owner);
  request.caller = std::move(task.caller);

  auto handle = std::make_shared<EngineTask>(*engine_);
  CompletionStream::Options options;
  options.prompt_tokens = static_cast<int64_t>(task.prompt.size());
  options.stops = std::move(task.stops);
  options.log_probabilities = task.log_probabilities;
  options.cancel = [handle] { handle->cancel(); };
  // The engine does not score the token that ends a text. Who counts on a score for every token,
  // that one included, gets it as a token like others.
  if (task.log_probabilities && !task.ignore_stop && task.min_tokens == 0) {
    options.stop_ids.swap(request.options.stop_ids);
  }
  auto stream = std::make_shared<CompletionStream>(*tokenizer_, options, std::move(listener));
  request.prompt = std::move(task.prompt);
  handle->submitted(engine_->submit(std::move(request), stream));
  return handle;
}

}  // namespace minke
