// Bodies of requests in each of the formats that the server speaks: an error that a client can be
// told, or a request whose values are within their bounds.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/core/check.h"
#include "base/core/utf8.h"
#include "serve/api/anthropic/anthropic_request.h"
#include "serve/api/api_errors.h"
#include "serve/api/openai/chat_request.h"
#include "serve/api/openai/completions.h"
#include "serve/api/responses/responses_request.h"
#include "serve/sampling/sampler.h"

namespace {

using namespace minke;

const OpenAiOptions& options() {
  static const OpenAiOptions chosen = [] {
    OpenAiOptions made;
    made.sources.random = [] { return 7; };
    return made;
  }();
  return chosen;
}

const ThinkingSignature& signature() {
  static const ThinkingSignature made({1, 2, 3});
  return made;
}

void check_turn(const TurnRequest& turn) {
  check_sampling(turn.sampling);  // an Error ends the fuzzer
  CHECK(turn.max_tokens >= 0 && turn.min_tokens >= 0);
  CHECK(turn.choices >= 1 && turn.top >= 0);
  CHECK(!turn.conversation.messages.empty());
  CHECK(turn.strict_tools.size() == turn.conversation.tools.size());
  CHECK(turn.named_tool.empty() == (turn.tool_choice != ToolChoice::kNamed));
  for (const Message& message : turn.conversation.messages) {
    CHECK(utf8_valid(message.content) && utf8_valid(message.reasoning));
    // Only the assistant calls tools.
    CHECK(message.tool_calls.empty() || message.role == Role::kAssistant);
  }
  CHECK(std::ranges::none_of(turn.stops, [](const std::string& stop) { return stop.empty(); }));
}

void check_completion(const CompletionRequest& request) {
  check_sampling(request.task.sampling);
  CHECK(!request.prompts.empty() && request.choices >= 1);
  CHECK(request.task.max_tokens >= 0 && request.task.top >= 0);
  CHECK(request.task.max_tokens >= 1 || request.echo);
  for (const CompletionRequest::Prompt& prompt : request.prompts) {
    CHECK(prompt.is_text ? prompt.ids.empty() : prompt.text.empty());
    CHECK(std::ranges::all_of(prompt.ids, [](int32_t id) { return id >= 0; }));
  }
}

void read(uint8_t format, std::string_view body) {
  switch (format % 5) {
    case 0:
      return check_turn(read_chat_request(body, "model", options(), "caller").turn);
    case 1:
      return check_completion(read_completion_request(body, "model", options(), "caller"));
    case 2: {
      const ResponsesRequest request = read_responses_request(body);
      CHECK(utf8_valid(wire_text(request.echo)));
      return check_turn(request.turn);
    }
    case 3:
      return check_turn(read_anthropic_request(body, signature(), AnthropicPurpose::kReply).turn);
    default:
      return check_turn(read_anthropic_request(body, signature(), AnthropicPurpose::kCount).turn);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  try {
    read(data[0], std::string_view(reinterpret_cast<const char*>(data) + 1, size - 1));
  } catch (const ApiFailure& failure) {
    CHECK(failure.error().status >= 400 && failure.error().status < 500);
    CHECK(!failure.error().message.empty() && utf8_valid(openai_error_body(failure.error())));
  }
  return 0;
}
