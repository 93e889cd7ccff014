#include "serve/api/api_errors.h"

#include <algorithm>
#include <cmath>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "serve/http/http_text.h"

namespace minke {
namespace {

bool worth_retrying(int status) {
  return status == 408 || status == 429 || status == 503 || status == 529;
}

nlohmann::ordered_json text_or_null(const std::string& text) {
  if (text.empty()) return nullptr;
  return text;
}

}  // namespace

ApiError api_error(int status, std::string message, std::string param, std::string code) {
  ApiError error;
  error.status = status;
  error.type = error_type(status);
  error.message = std::move(message);
  error.param = std::move(param);
  error.code = std::move(code);
  return error;
}

ApiError context_error(int64_t prompt, int64_t context) {
  return api_error(400,
                   fmt::format("the prompt has {} tokens and the context has room for {}: shorten "
                               "the prompt, or serve the model with a longer context",
                               prompt, context),
                   "", "context_length_exceeded");
}

ApiError api_error_of(const std::exception_ptr& exception) {
  try {
    std::rethrow_exception(exception);
  } catch (const ApiFailure& failure) {
    return failure.error();
  } catch (const Engine::Refused& refused) {
    ApiError error = api_error(429, refused.what(), "", std::string(kQueueFull));
    error.retry_after = 1;
    return error;
  } catch (const Error& error) {
    return api_error(400, error.what());
  } catch (...) {
    return api_error(500, "the server failed to answer this request");
  }
}

int http_status(const ApiError& error) {
  return error.status >= 400 && error.status <= 599 ? error.status : 500;
}

HttpHeaders retry_headers(const ApiError& error) {
  HttpHeaders headers;
  if (error.retry_after > 0) {
    constexpr double kDay = 86400;
    const double seconds = std::ceil(std::min(error.retry_after, kDay));
    headers.emplace_back("Retry-After", fmt::format("{:.0f}", seconds));
  }
  headers.emplace_back("x-should-retry", worth_retrying(http_status(error)) ? "true" : "false");
  return headers;
}

std::string openai_error_body(const ApiError& error) {
  nlohmann::ordered_json body;
  body["error"] = {{"message", error.message},
                   {"type", error.type},
                   {"param", text_or_null(error.param)},
                   {"code", text_or_null(error.code)}};
  return body.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

HttpResponse openai_error(const ApiError& error) {
  HttpResponse response;
  response.status = http_status(error);
  response.headers = retry_headers(error);
  response.body = openai_error_body(error);
  return response;
}

}  // namespace minke
