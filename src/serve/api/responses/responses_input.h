#pragma once

#include <vector>

#include "serve/api/message_fields.h"

namespace minke {

// The messages that `instructions` and `input` of POST /v1/responses amount to. Throws ApiFailure.
std::vector<Message> read_responses_input(JsonObject& request);

}  // namespace minke
