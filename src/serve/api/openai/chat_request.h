#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "serve/api/openai/wire.h"
#include "serve/api/request_reader.h"
#include "serve/api/turn.h"

namespace minke {

// The body of POST /v1/chat/completions, described for clients in docs/api.md.
struct ChatRequest {
  TurnRequest turn;
  bool stream = false;
  bool include_usage = false;
  IgnoredFields ignored;
};

// `caller`: who asks, by name or number of the key; begins the owner of the turn's prefixes. Throws
// ApiFailure.
ChatRequest read_chat_request(std::string_view body, std::string_view model_name,
                              const OpenAiOptions& options, std::string_view caller);

// "messages". Results of tools are put in the order of their calls: prompts have no ids.
struct ChatMessages {
  std::vector<Message> messages;
  bool continue_last = false;  // the last one has `prefix`
};
ChatMessages read_messages(const JsonField& field, IgnoredFields& ignored);

// "tools", "tool_choice", "parallel_tool_calls" into `turn`.
void read_tools(JsonObject& request, TurnRequest& turn, IgnoredFields& ignored);

// "response_format" and "grammar" into `turn`.
void read_format(JsonObject& request, TurnRequest& turn, IgnoredFields& ignored);

}  // namespace minke
