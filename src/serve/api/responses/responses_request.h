#pragma once

#include <string>
#include <string_view>

#include "serve/api/request_reader.h"
#include "serve/api/turn.h"
#include "serve/api/wire_reply.h"

namespace minke {

// The body of POST /v1/responses. What is honoured, ignored and refused: docs/api-responses.md.
struct ResponsesRequest {
  TurnRequest turn;  // without an owner
  bool has_seed = false;
  bool stream = false;
  std::string user;       // safety_identifier, or else user
  WireJson echo;          // what a response object repeats of the request
  IgnoredFields ignored;  // fields that have no effect
};

// Throws ApiFailure.
ResponsesRequest read_responses_request(std::string_view body);

}  // namespace minke
