#include "serve/access/batch/batch_result_line.h"

#include <string_view>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/core/error.h"
#include "base/core/json.h"

namespace minke {
namespace {

using Json = nlohmann::ordered_json;

std::string quoted(std::string_view text) {
  return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

std::string batch_result_line(const std::string& batch, const BatchResult& result,
                              BatchStatus end) {
  std::string response = "null";
  std::string error = "null";
  if (result.status != 0) {
    response = fmt::format(R"({{"status_code":{},"request_id":{},"body":{}}})", result.status,
                           quoted(result.request_id), result.body);
  } else if (end == BatchStatus::kExpired) {
    error = R"({"code":"batch_expired","message":"The batch's window passed before this request )"
            R"(was answered."})";
  } else {
    error = R"({"code":"batch_cancelled","message":"The batch was cancelled before this request )"
            R"(was answered."})";
  }
  return fmt::format(R"({{"id":"batch_req_{}_{}","custom_id":{},"response":{},"error":{}}})",
                     batch.substr(batch.find('_') + 1), result.number, quoted(result.custom_id),
                     response, error) +
         "\n";
}

std::string one_line(const std::string& body) {
  JsonDocument::parse(body, "answer");  // minify() below does not look at the syntax
  std::string text(body.size(), '\0');
  size_t size = 0;
  const auto error = simdjson::minify(body.data(), body.size(), text.data(), size);
  if (error != simdjson::SUCCESS) fail("answer", "{}", simdjson::error_message(error));
  text.resize(size);
  return text;
}

}  // namespace minke
