#include "serve/access/batch/batch_objects.h"

#include <nlohmann/json.hpp>

namespace minke {
namespace {

using Json = nlohmann::ordered_json;

// In the order of BatchStatus.
constexpr std::array<std::string_view, kBatchStatuses> kNames = {
    "validating", "in_progress", "finalizing", "completed",
    "failed",     "expired",     "cancelling", "cancelled"};

Json text_or_null(const std::string& text) {
  return text.empty() ? Json(nullptr) : Json(text);
}

Json number_or_null(int64_t number) {
  return number == 0 ? Json(nullptr) : Json(number);
}

Json to_json(const BatchFault& fault) {
  return {{"code", fault.code},
          {"line", number_or_null(fault.line)},
          {"message", fault.message},
          {"param", text_or_null(fault.param)}};
}

}  // namespace

Json to_json(const StoredFile& file) {
  return {{"id", file.id},         {"object", "file"},
          {"bytes", file.bytes},   {"created_at", file.created},
          {"filename", file.name}, {"purpose", file.purpose},
          {"status", "processed"}};
}

std::string_view status_name(BatchStatus status) {
  return kNames.at(static_cast<size_t>(status));
}

bool has_ended(BatchStatus status) {
  return status == BatchStatus::kCompleted || status == BatchStatus::kFailed ||
         status == BatchStatus::kExpired || status == BatchStatus::kCancelled;
}

Json to_json(const StoredBatch& batch) {
  Json json{{"id", batch.id},
            {"object", "batch"},
            {"endpoint", batch.endpoint},
            {"errors", nullptr},
            {"input_file_id", batch.input_file},
            {"completion_window", batch.window},
            {"status", status_name(batch.status)},
            {"output_file_id", text_or_null(batch.output_file)},
            {"error_file_id", text_or_null(batch.error_file)},
            {"created_at", batch.since[0]}};
  for (size_t i = 1; i < kBatchStatuses; ++i) {
    json[std::string(kNames[i]) + "_at"] = number_or_null(batch.since[i]);
  }
  json["expires_at"] = number_or_null(batch.expires);
  json["request_counts"] = {
      {"total", batch.total}, {"completed", batch.completed}, {"failed", batch.failed}};
  json["metadata"] = nullptr;
  if (!batch.metadata.empty()) json["metadata"] = Json::object();
  for (const auto& [name, value] : batch.metadata) json["metadata"][name] = value;
  if (!batch.faults.empty()) {
    Json list = Json::array();
    for (const BatchFault& fault : batch.faults) list.push_back(to_json(fault));
    json["errors"] = {{"object", "list"}, {"data", std::move(list)}};
  }
  return json;
}

}  // namespace minke
