#pragma once

#include <cstdint>
#include <exception>
#include <string>
#include <string_view>

#include "serve/api/turn.h"
#include "serve/http/server.h"

namespace minke {

// The code of an error of the engine's queue.
inline constexpr std::string_view kQueueFull = "queue_full";

// An error whose type follows from its status.
ApiError api_error(int status, std::string message, std::string param = {}, std::string code = {});

// A prompt of `prompt` tokens where there is room for `context`: 400 "context_length_exceeded".
ApiError context_error(int64_t prompt, int64_t context);

// What is told of an exception. ApiFailure: its error. Engine::Refused: 429 "queue_full".
// Error: 400 with its message. All others: 500, and their text stays inside.
ApiError api_error_of(const std::exception_ptr& exception);

// The status line of `error`: its status if that is one of an error, else 500.
int http_status(const ApiError& error);

// Retry-After where the error says when, and x-should-retry, which clients ask before they guess by
// the status: true for 408, 429, 503 and 529, else false.
HttpHeaders retry_headers(const ApiError& error);

// {"error":{"message","type","param","code"}}, all four always there; param and code may be null.
std::string openai_error_body(const ApiError& error);
HttpResponse openai_error(const ApiError& error);

}  // namespace minke
