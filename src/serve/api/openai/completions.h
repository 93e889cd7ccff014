#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "serve/api/completions/completion_runner.h"
#include "serve/api/openai/wire.h"
#include "serve/api/request_reader.h"
#include "serve/http/server.h"

namespace minke {

// The body of POST /v1/completions, described for clients in docs/api.md.
struct CompletionRequest {
  struct Prompt {
    std::string text;          // if is_text
    std::vector<int32_t> ids;  // if not
    bool is_text = false;
    std::string path;
  };
  std::vector<Prompt> prompts;
  std::optional<std::string> suffix;
  bool echo = false;
  bool ends = true;     // see CompletionRunner::encode()
  int choices = 1;      // of each prompt
  CompletionTask task;  // of every choice, but for prompt and seed
  bool stream = false;
  bool include_usage = false;
  IgnoredFields ignored;
};

// `caller` as for read_chat_request(). Throws ApiFailure.
CompletionRequest read_completion_request(std::string_view body, std::string_view model_name,
                                          const OpenAiOptions& options, std::string_view caller);

// POST /v1/completions. Thread-safe.
class OpenAiCompletions {
 public:
  // `runner` must outlive it.
  OpenAiCompletions(CompletionRunner& runner, OpenAiOptions options);

  // Answers, now or as the texts grow; also all errors.
  void answer(const HttpRequest& request, const std::shared_ptr<HttpReply>& reply,
              std::string_view caller) const;

 private:
  CompletionRunner* runner_;
  OpenAiOptions options_;
};

}  // namespace minke
