#include "serve/access/batch/batch_table.h"

#include <nlohmann/json.hpp>

#include "base/core/check.h"
#include "base/core/error.h"
#include "base/core/json.h"

namespace minke {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kColumns =
    "id, owner, endpoint, input_file, completion_window, metadata, status, faults, total,"
    " completed, failed, expires, output_file, error_file, validating_at, in_progress_at,"
    " finalizing_at, completed_at, failed_at, expired_at, cancelling_at, cancelled_at";
constexpr int kFirstTimeColumn = 14;

// Those of BatchStatus for which has_ended() is true.
constexpr const char* kEnded = "status IN (3, 4, 5, 7)";

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string metadata_text(const BatchMetadata& metadata) {
  Json json = Json::object();
  for (const auto& [name, value] : metadata) json[name] = value;
  return dump(json);
}

BatchMetadata read_metadata(std::string_view text) {
  const JsonDocument document = JsonDocument::parse(text, "store.db: metadata");
  BatchMetadata metadata;
  simdjson::dom::object object;
  if (document.root().get(object) != simdjson::SUCCESS) fail(document.name(), "not an object");
  for (const auto& [name, value] : object) {
    std::string_view item;
    if (value.get(item) != simdjson::SUCCESS) fail(document.name(), "not text");
    metadata.emplace_back(name, item);
  }
  return metadata;
}

std::string faults_text(const std::vector<BatchFault>& faults) {
  Json json = Json::array();
  for (const BatchFault& fault : faults) {
    json.push_back(Json::array({fault.code, fault.line, fault.message, fault.param}));
  }
  return dump(json);
}

std::vector<BatchFault> read_faults(std::string_view text) {
  const JsonDocument document = JsonDocument::parse(text, "store.db: faults");
  std::vector<BatchFault> faults;
  simdjson::dom::array list;
  if (document.root().get(list) != simdjson::SUCCESS) fail(document.name(), "not a list");
  for (const auto item : list) {
    std::string_view code, message, param;
    BatchFault fault;
    if (item.at(0).get(code) != simdjson::SUCCESS ||
        item.at(1).get(fault.line) != simdjson::SUCCESS ||
        item.at(2).get(message) != simdjson::SUCCESS ||
        item.at(3).get(param) != simdjson::SUCCESS) {
      fail(document.name(), "not a fault");
    }
    fault.code = code;
    fault.message = message;
    fault.param = param;
    faults.push_back(std::move(fault));
  }
  return faults;
}

BatchStatus status_of(int64_t number) {
  if (number < 0 || number >= static_cast<int64_t>(kBatchStatuses)) {
    fail("store.db", "expected a status of 0 to {}, found {}", kBatchStatuses - 1, number);
  }
  return static_cast<BatchStatus>(number);
}

StoredBatch batch_of(const Statement& row) {
  StoredBatch batch{.id = row.text(0),
                    .owner = row.text(1),
                    .endpoint = row.text(2),
                    .input_file = row.text(3),
                    .window = row.text(4),
                    .metadata = read_metadata(row.bytes(5)),
                    .status = status_of(row.integer(6)),
                    .faults = read_faults(row.bytes(7)),
                    .total = row.integer(8),
                    .completed = row.integer(9),
                    .failed = row.integer(10),
                    .expires = row.integer(11),
                    .output_file = row.text(12),
                    .error_file = row.text(13)};
  for (size_t i = 0; i < kBatchStatuses; ++i) {
    batch.since[i] = row.integer(kFirstTimeColumn + static_cast<int>(i));
  }
  return batch;
}

}  // namespace

const char* const kBatchTableSchema = R"(
CREATE TABLE batches (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, owner TEXT NOT NULL,
  endpoint TEXT NOT NULL, input_file TEXT NOT NULL, completion_window TEXT NOT NULL,
  metadata TEXT NOT NULL, status INTEGER NOT NULL, faults TEXT NOT NULL DEFAULT '[]',
  total INTEGER NOT NULL DEFAULT 0, completed INTEGER NOT NULL DEFAULT 0,
  failed INTEGER NOT NULL DEFAULT 0, expires INTEGER NOT NULL,
  output_file TEXT NOT NULL DEFAULT '', error_file TEXT NOT NULL DEFAULT '',
  validating_at INTEGER NOT NULL, in_progress_at INTEGER NOT NULL DEFAULT 0,
  finalizing_at INTEGER NOT NULL DEFAULT 0, completed_at INTEGER NOT NULL DEFAULT 0,
  failed_at INTEGER NOT NULL DEFAULT 0, expired_at INTEGER NOT NULL DEFAULT 0,
  cancelling_at INTEGER NOT NULL DEFAULT 0, cancelled_at INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE INDEX batches_of_owner ON batches (owner, seq);
CREATE INDEX batches_by_status ON batches (status, seq);
CREATE TABLE lines (
  batch INTEGER NOT NULL REFERENCES batches (seq) ON DELETE CASCADE, number INTEGER NOT NULL,
  custom_id TEXT NOT NULL, body TEXT NOT NULL, status INTEGER NOT NULL DEFAULT 0,
  request_id TEXT NOT NULL DEFAULT '', response TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (batch, number)) STRICT;
CREATE INDEX pending_lines ON lines (batch, number) WHERE status = 0;
)";

void BatchTable::insert(const StoredBatch& batch) {
  Statement(database_,
            "INSERT INTO batches (id, owner, endpoint, input_file, completion_window, metadata,"
            " status, expires, validating_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            batch.id, batch.owner, batch.endpoint, batch.input_file, batch.window,
            metadata_text(batch.metadata), static_cast<int64_t>(batch.status), batch.expires,
            batch.since[0])
      .run();
}

std::optional<StoredBatch> BatchTable::find(std::string_view owner, std::string_view id) const {
  const std::string sql =
      fmt::format("SELECT {} FROM batches WHERE id = ? AND owner = ?", kColumns);
  Statement row(database_, sql.c_str(), id, owner);
  if (!row.step()) return std::nullopt;
  return batch_of(row);
}

StorePage<StoredBatch> BatchTable::list(std::string_view owner, std::string_view after,
                                        int64_t limit) const {
  CHECK(limit >= 1);
  int64_t behind = INT64_MAX;
  if (!after.empty()) {
    Statement row(database_, "SELECT seq FROM batches WHERE id = ? AND owner = ?", after, owner);
    if (!row.step()) fail("after", "expected a batch's id, found \"{}\"", printable(after));
    behind = row.integer(0);
  }
  const std::string sql = fmt::format(
      "SELECT {} FROM batches WHERE owner = ? AND seq < ? ORDER BY seq DESC LIMIT ?", kColumns);
  Statement rows(database_, sql.c_str(), owner, behind, limit + 1);
  StorePage<StoredBatch> page;
  while (rows.step()) page.items.push_back(batch_of(rows));
  page.more = static_cast<int64_t>(page.items.size()) > limit;
  if (page.more) page.items.pop_back();
  return page;
}

std::vector<BatchKey> BatchTable::with_status(BatchStatus status) const {
  Statement rows(database_,
                 "SELECT seq, id, owner, endpoint, input_file, expires FROM batches"
                 " WHERE status = ? ORDER BY seq",
                 static_cast<int64_t>(status));
  std::vector<BatchKey> keys;
  while (rows.step()) {
    keys.push_back({.row = rows.integer(0),
                    .id = rows.text(1),
                    .owner = rows.text(2),
                    .endpoint = rows.text(3),
                    .input_file = rows.text(4),
                    .expires = rows.integer(5)});
  }
  return keys;
}

int64_t BatchTable::row_of(std::string_view id) const {
  Statement found(database_, "SELECT seq FROM batches WHERE id = ?", id);
  CHECK(found.step());
  return found.integer(0);
}

bool BatchTable::validates(std::string_view input_file) const {
  return Statement(database_, "SELECT 1 FROM batches WHERE status = ? AND input_file = ?",
                   static_cast<int64_t>(BatchStatus::kValidating), input_file)
      .step();
}

int64_t BatchTable::count(std::string_view owner) const {
  Statement row(database_, "SELECT count(*) FROM batches WHERE owner = ?", owner);
  CHECK(row.step());
  return row.integer(0);
}

int64_t BatchTable::count_open(std::string_view owner) const {
  const std::string sql =
      fmt::format("SELECT count(*) FROM batches WHERE owner = ? AND NOT {}", kEnded);
  Statement row(database_, sql.c_str(), owner);
  CHECK(row.step());
  return row.integer(0);
}

void BatchTable::forget(std::string_view owner, int64_t count) {
  const std::string sql = fmt::format(
      "DELETE FROM batches WHERE seq IN"
      " (SELECT seq FROM batches WHERE owner = ? AND {} ORDER BY seq LIMIT ?)",
      kEnded);
  Statement(database_, sql.c_str(), owner, count).run();
}

void BatchTable::set_status(int64_t row, BatchStatus status, int64_t now) {
  const std::string sql =
      fmt::format("UPDATE batches SET status = ?, {}_at = ? WHERE seq = ?", status_name(status));
  Statement(database_, sql.c_str(), static_cast<int64_t>(status), now, row).run();
}

void BatchTable::set_faults(int64_t row, const std::vector<BatchFault>& faults) {
  Statement(database_, "UPDATE batches SET faults = ? WHERE seq = ?", faults_text(faults), row)
      .run();
}

void BatchTable::set_total(int64_t row, int64_t total) {
  Statement(database_, "UPDATE batches SET total = ? WHERE seq = ?", total, row).run();
}

void BatchTable::set_results(int64_t row, std::string_view output_file,
                             std::string_view error_file) {
  Statement(database_, "UPDATE batches SET output_file = ?, error_file = ? WHERE seq = ?",
            output_file, error_file, row)
      .run();
}

void BatchTable::add_line(int64_t row, const BatchInputLine& line) {
  Statement(database_, "INSERT INTO lines (batch, number, custom_id, body) VALUES (?, ?, ?, ?)",
            row, line.number, line.custom_id, line.body)
      .run();
}

std::optional<BatchInputLine> BatchTable::pending_line(
    int64_t row, const std::function<bool(int64_t)>& skip) const {
  Statement lines(database_,
                  "SELECT number, custom_id, body FROM lines WHERE batch = ? AND status = 0"
                  " ORDER BY number",
                  row);
  while (lines.step()) {
    if (skip(lines.integer(0))) continue;
    return BatchInputLine{
        .number = lines.integer(0), .custom_id = lines.text(1), .body = lines.text(2)};
  }
  return std::nullopt;
}

bool BatchTable::answer(std::string_view batch, const BatchResult& result) {
  CHECK(result.status != 0);
  Statement(database_,
            "UPDATE lines SET status = ?, request_id = ?, response = ?, body = ''"
            " WHERE batch = (SELECT seq FROM batches WHERE id = ?) AND number = ? AND status = 0",
            result.status, result.request_id, result.body, batch, result.number)
      .run();
  if (database_.changes() == 0) return false;
  const bool good = result.status >= 200 && result.status <= 299;
  Statement(database_,
            good ? "UPDATE batches SET completed = completed + 1 WHERE id = ?"
                 : "UPDATE batches SET failed = failed + 1 WHERE id = ?",
            batch)
      .run();
  return true;
}

bool BatchTable::is_done(std::string_view batch) const {
  return Statement(database_,
                   "SELECT 1 FROM batches WHERE id = ? AND status = ?"
                   " AND completed + failed = total",
                   batch, static_cast<int64_t>(BatchStatus::kInProgress))
      .step();
}

void BatchTable::each_result(int64_t row,
                             const std::function<void(const BatchResult&)>& each) const {
  Statement lines(database_,
                  "SELECT number, custom_id, status, request_id, response FROM lines"
                  " WHERE batch = ? ORDER BY number",
                  row);
  while (lines.step()) {
    each({.number = lines.integer(0),
          .custom_id = lines.bytes(1),
          .status = lines.integer(2),
          .request_id = lines.bytes(3),
          .body = lines.bytes(4)});
  }
}

void BatchTable::remove_lines(int64_t row) {
  Statement(database_, "DELETE FROM lines WHERE batch = ?", row).run();
}

}  // namespace minke
