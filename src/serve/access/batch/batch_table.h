#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "serve/access/batch/batch_input.h"
#include "serve/access/batch/batch_objects.h"
#include "serve/access/batch/stored_files.h"
#include "serve/access/database.h"

namespace minke {

// Tables of BatchTable.
extern const char* const kBatchTableSchema;

struct BatchKey {
  int64_t row = 0;  // its number in the table
  std::string id;
  std::string owner;
  std::string endpoint;
  std::string input_file;
  int64_t expires = 0;
};

// A line that has an answer, or has none.
struct BatchResult {
  int64_t number = 0;
  std::string_view custom_id;  // these live until the next
  int64_t status = 0;          // of the HTTP answer; 0: none
  std::string_view request_id;
  std::string_view body;
};

// Batches and their lines within a database. Belongs to one thread at a time. What changes several
// rows is to be called within a Transaction.
class BatchTable {
 public:
  explicit BatchTable(Database& database) : database_(database) {}

  void insert(const StoredBatch& batch);
  std::optional<StoredBatch> find(std::string_view owner, std::string_view id) const;
  // Newest first, behind the batch `after` if that is not "". Throws Error if it is not one of the
  // owner's.
  StorePage<StoredBatch> list(std::string_view owner, std::string_view after, int64_t limit) const;
  // Oldest first.
  std::vector<BatchKey> with_status(BatchStatus status) const;
  int64_t row_of(std::string_view id) const;          // the batch must be there
  bool validates(std::string_view input_file) const;  // a batch that is validating has this input
  int64_t count(std::string_view owner) const;
  int64_t count_open(std::string_view owner) const;
  // Takes the oldest that have ended away.
  void forget(std::string_view owner, int64_t count);

  void set_status(int64_t row, BatchStatus status, int64_t now);
  void set_faults(int64_t row, const std::vector<BatchFault>& faults);
  void set_total(int64_t row, int64_t total);
  void set_results(int64_t row, std::string_view output_file, std::string_view error_file);

  void add_line(int64_t row, const BatchInputLine& line);
  // The first line without an answer that `skip` does not want.
  std::optional<BatchInputLine> pending_line(int64_t row,
                                             const std::function<bool(int64_t)>& skip) const;
  // Puts an answer in and counts it. False if the line has one, or is not there. `status` is not 0.
  bool answer(std::string_view batch, const BatchResult& result);
  // Whether it is in progress and all its lines have answers.
  bool is_done(std::string_view batch) const;
  void each_result(int64_t row, const std::function<void(const BatchResult&)>& each) const;
  void remove_lines(int64_t row);

 private:
  Database& database_;
};

}  // namespace minke
