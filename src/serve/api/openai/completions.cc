#include "serve/api/openai/completions.h"

#include <fmt/core.h>

#include "base/core/utf8.h"
#include "serve/api/api_errors.h"
#include "serve/api/openai/completions_reply.h"
#include "serve/api/start_answer.h"

namespace minke {
namespace {

EncodedPrompt encoded(const CompletionRunner& runner, const CompletionRequest& request,
                      const CompletionRequest::Prompt& prompt) {
  if (request.suffix) {
    auto gap = runner.encode_gap(prompt.text, *request.suffix);
    if (gap) return *gap;
    throw ApiFailure(api_error(400,
                               "suffix: the model was not made to fill gaps: its vocabulary has no "
                               "tokens for that",
                               "suffix", "suffix_not_supported"));
  }
  if (prompt.is_text) return runner.encode(prompt.text, request.ends);
  EncodedPrompt given;
  given.ids = prompt.ids;
  return given;
}

std::vector<CompletionReply::Prompt> encoded_prompts(const CompletionRunner& runner,
                                                     const CompletionRequest& request) {
  std::vector<CompletionReply::Prompt> prompts;
  for (const CompletionRequest::Prompt& prompt : request.prompts) {
    CompletionReply::Prompt ready;
    ready.encoded = encoded(runner, request, prompt);
    const auto& ids = ready.encoded.ids;
    if (ids.empty()) {
      throw ApiFailure(
          api_error(400, fmt::format("{}: expected at least one token, found none", prompt.path),
                    prompt.path));
    }
    const auto size = static_cast<int64_t>(ids.size());
    if (size > runner.context()) {
      ApiError error = context_error(size, runner.context());
      error.param = prompt.path;
      throw ApiFailure(std::move(error));
    }
    if (request.echo) {
      ready.text = prompt.text;
      if (!prompt.is_text) {
        for (const int32_t id : ids) ready.text += runner.bytes(id);
        ready.text = utf8_sanitized(ready.text);
      }
      ready.first = runner.bytes(ids.front());
    }
    prompts.push_back(std::move(ready));
  }
  return prompts;
}

CompletionReply::Shape shape_of(const CompletionRequest& request) {
  CompletionReply::Shape shape;
  shape.choices = request.choices;
  shape.echo = request.echo;
  shape.log_probabilities = request.task.log_probabilities;
  shape.score_prompt = request.task.score_prompt;
  shape.include_usage = request.include_usage;
  return shape;
}

}  // namespace

OpenAiCompletions::OpenAiCompletions(CompletionRunner& runner, OpenAiOptions options)
    : runner_(&runner), options_(std::move(options)) {}

void OpenAiCompletions::answer(const HttpRequest& request, const std::shared_ptr<HttpReply>& reply,
                               std::string_view caller) const {
  start_answer<CompletionReply>(reply, [&](std::shared_ptr<CompletionReply>& answer) {
    const std::string name = runner_->model_name();
    const CompletionRequest wanted = read_completion_request(request.body, name, options_, caller);
    const std::vector<CompletionReply::Prompt> prompts = encoded_prompts(*runner_, wanted);
    answer = std::make_shared<CompletionReply>(
        answer_head("cmpl-", "text_completion", name, options_), shape_of(wanted), prompts,
        AnswerSink(reply, wanted.stream, wanted.ignored));
    int index = 0;
    for (const CompletionReply::Prompt& prompt : prompts) {
      for (int choice = 0; choice < wanted.choices; ++choice) {
        CompletionTask task = wanted.task;
        task.prompt = prompt.encoded.ids;
        // A prompt's choices differ; they are the same in whatever company it comes.
        task.sampling.seed += static_cast<uint64_t>(choice);
        answer->accepted(runner_->start(std::move(task), answer->listener(index++)));
      }
    }
  });
}

}  // namespace minke
