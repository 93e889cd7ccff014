#include <fmt/core.h>

#include "serve/api/api_errors.h"
#include "serve/api/openai/completions.h"
#include "serve/api/openai/fields.h"

namespace minke {
namespace {

constexpr size_t kMostPrompts = 128, kMostPromptTokens = 1 << 20;

CompletionRequest::Prompt text_prompt(const JsonField& field) {
  CompletionRequest::Prompt prompt;
  prompt.text = field.text();
  prompt.is_text = true;
  prompt.path = field.path();
  return prompt;
}

CompletionRequest::Prompt id_prompt(const JsonField& field) {
  CompletionRequest::Prompt prompt;
  prompt.ids = field.ids(kMostPromptTokens);
  prompt.path = field.path();
  return prompt;
}

std::vector<CompletionRequest::Prompt> read_prompts(const JsonField& field) {
  if (field.is_string()) return {text_prompt(field)};
  constexpr std::string_view kForms =
      "a string, an array of strings, an array of tokens, or an array of such arrays";
  simdjson::dom::array array;
  if (field.element().get_array().get(array) != simdjson::SUCCESS) field.expected(kForms);
  if (array.begin() == array.end()) field.expected("at least one prompt");
  if ((*array.begin()).is_number()) return {id_prompt(field)};
  std::vector<CompletionRequest::Prompt> prompts;
  for (const JsonField& item : field.items(kMostPrompts)) {
    if (item.is_string()) {
      prompts.push_back(text_prompt(item));
    } else if (item.is_array()) {
      prompts.push_back(id_prompt(item));
    } else {
      item.expected("a string or an array of tokens");
    }
    if (prompts.back().is_text != prompts.front().is_text) {
      item.expected("all prompts as strings, or all as arrays of tokens");
    }
  }
  return prompts;
}

void read_suffix(JsonObject& request, CompletionRequest& completion) {
  const auto field = request.get("suffix");
  if (!field) return;
  completion.suffix = field->text();
  for (const CompletionRequest::Prompt& prompt : completion.prompts) {
    if (!prompt.is_text) field->refused("expected a prompt of text with it, found tokens");
  }
  if (completion.echo) field->refused("expected either \"suffix\" or \"echo\", found both");
}

void read_best_of(JsonObject& request, int choices) {
  const auto field = request.get("best_of");
  if (!field) return;
  if (field->integer(0, 20) != choices) {
    field->refused("this server gives every text that it makes: expected the value of \"n\"");
  }
}

}  // namespace

CompletionRequest read_completion_request(std::string_view body, std::string_view model_name,
                                          const OpenAiOptions& options, std::string_view caller) {
  const RequestBody parsed = RequestBody::parse(body);
  CompletionRequest completion;
  JsonObject request(parsed.root(), completion.ignored);
  read_model(request, model_name, options);
  completion.prompts = read_prompts(request.need("prompt"));
  completion.echo = request.boolean_or("echo", false);
  completion.ends = request.boolean_or("add_special_tokens", true);
  read_suffix(request, completion);

  CompletionTask& task = completion.task;
  constexpr int64_t kUsualTokens = 16;
  task.max_tokens = read_count(request, "max_tokens", completion.echo ? 0 : 1, kUsualTokens);
  const LengthFields lengths = read_lengths(request);
  task.min_tokens = lengths.min_tokens;
  task.ignore_stop = lengths.ignore_stop;
  task.sampling = read_sampling(request, options);
  task.stops = read_stops(request);
  if (const auto logprobs = request.get("logprobs")) {
    task.log_probabilities = true;
    task.top = static_cast<int>(logprobs->integer(0, 20));
    task.score_prompt = completion.echo;
  }
  task.owner = read_owner(request, caller);
  task.caller = caller;
  completion.choices = read_choices(request);
  read_best_of(request, completion.choices);
  if (completion.prompts.size() * static_cast<size_t>(completion.choices) > kMostPrompts) {
    throw ApiFailure(
        api_error(422,
                  fmt::format("n: expected at most {} texts in all, found {} prompts with {} each",
                              kMostPrompts, completion.prompts.size(), completion.choices),
                  "n"));
  }
  const StreamFields stream = read_stream(request, completion.ignored);
  completion.stream = stream.stream;
  completion.include_usage = stream.include_usage;
  request.close();
  return completion;
}

}  // namespace minke
