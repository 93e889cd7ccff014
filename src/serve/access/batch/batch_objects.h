#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace minke {

struct StoredFile {
  std::string id;     // "file-" and 24 hexadecimal digits
  std::string owner;  // name of the key
  std::string purpose;
  std::string name;
  int64_t bytes = 0;
  int64_t created = 0;  // seconds since 1970
};
// OpenAI's file object.
nlohmann::ordered_json to_json(const StoredFile& file);

enum class BatchStatus {
  kValidating,
  kInProgress,
  kFinalizing,
  kCompleted,
  kFailed,
  kExpired,
  kCancelling,
  kCancelled,
};
constexpr size_t kBatchStatuses = 8;
// "in_progress"
std::string_view status_name(BatchStatus status);
// Whether nothing will happen to the batch any more.
bool has_ended(BatchStatus status);

// What is wrong with an input file.
struct BatchFault {
  std::string code;  // "duplicate_custom_id"
  int64_t line = 0;  // from 1; 0: the file as a whole
  std::string message;
  std::string param;  // the field, "" if it is none
};

using BatchMetadata = std::vector<std::pair<std::string, std::string>>;

struct StoredBatch {
  std::string id;  // "batch_" and 24 hexadecimal digits
  std::string owner;
  std::string endpoint;  // "/v1/chat/completions"
  std::string input_file;
  std::string window;  // "24h"
  BatchMetadata metadata;
  BatchStatus status = BatchStatus::kValidating;
  std::vector<BatchFault> faults;
  int64_t total = 0, completed = 0, failed = 0;  // lines
  int64_t expires = 0;
  std::array<int64_t, kBatchStatuses> since{};  // when it came to each status; 0: never
  std::string output_file, error_file;          // "": none
};
// OpenAI's batch object.
nlohmann::ordered_json to_json(const StoredBatch& batch);

}  // namespace minke
