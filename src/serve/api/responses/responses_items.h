#pragma once

#include <string>
#include <vector>

#include "serve/api/wire_reply.h"

namespace minke {

// What a response consists of: thinking, text or a call. The JSON is that of OutputItem,
// OutputContent and LogProb in OpenAI's OpenAPI file.
struct ResponsesItem {
  enum class Kind { kReasoning, kMessage, kCall };
  enum class Status { kInProgress, kCompleted, kIncomplete };

  Kind kind = Kind::kMessage;
  Status status = Status::kInProgress;
  std::string id{};
  std::string text{};                // of a call: its arguments
  std::vector<ScoredText> scores{};  // of a message
  std::string call_id{}, name{};     // of a call
};

WireJson responses_item_json(const ResponsesItem& item);
// The one part of an item that is no call.
WireJson responses_part_json(const ResponsesItem& item);
WireJson responses_scores_json(const std::vector<ScoredText>& scores);
WireJson responses_usage_json(const TurnUsage& usage);

}  // namespace minke
