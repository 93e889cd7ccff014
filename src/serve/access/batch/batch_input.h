#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "serve/access/batch/batch_objects.h"

namespace minke {

struct BatchInputLimits {
  int64_t lines = 50000;
  int64_t line_bytes = 1 << 20;
};

struct BatchInputLine {
  int64_t number = 0;  // from 1
  std::string custom_id;
  std::string body;  // a JSON object in one line
};

// Reads an input file of a batch: JSON Lines, each {"custom_id": text, "method": "POST",
// "url": the batch's endpoint, "body": object}. The last lines may be empty. Reading goes on behind
// a fault, so that all are found at once, but stops at kMostFaults, and at faults that leave the
// rest without sense.
class BatchInput {
 public:
  static constexpr size_t kMostFaults = 100;
  static constexpr size_t kMostIdBytes = 256;
  using Each = std::function<void(const BatchInputLine&)>;

  BatchInput(std::string endpoint, const BatchInputLimits& limits)
      : endpoint_(std::move(endpoint)), limits_(limits) {}

  // The next piece of the file. Calls `each` for every line that is right.
  void feed(std::string_view bytes, const Each& each);
  // The file has ended.
  void finish(const Each& each);

  const std::vector<BatchFault>& faults() const { return faults_; }

 private:
  void take_line(std::string_view text, const Each& each);
  bool read_line(std::string_view text, BatchInputLine& line);
  void blame(std::string code, std::string message, std::string param = "");

  std::string endpoint_;
  BatchInputLimits limits_;
  std::string open_;  // the line that has not ended
  int64_t number_ = 0;
  int64_t empty_ = 0;  // number of the first of the empty lines at the end so far; 0: none
  std::unordered_set<std::string> ids_;
  std::vector<BatchFault> faults_;
  bool stopped_ = false;
};

}  // namespace minke
