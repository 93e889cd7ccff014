#include "serve/access/batch_store.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>
#include <set>

#include <fmt/format.h>
#include <sys/stat.h>

#include "base/core/check.h"
#include "serve/access/batch/batch_checks.h"
#include "serve/access/batch/batch_result_line.h"
#include "serve/access/batch/batch_table.h"
#include "serve/access/hash.h"

namespace minke {
namespace {

constexpr int32_t kDatabaseKind = 0x4d4b4241;  // "MKBA"
constexpr size_t kIdBytes = 12;
constexpr int64_t kReadBytes = 1 << 20;

std::filesystem::path prepared(const std::filesystem::path& folder) {
  std::error_code error;
  const auto parent = folder.parent_path();
  if (!parent.empty()) std::filesystem::create_directories(parent, error);
  if (::mkdir(folder.c_str(), 0700) != 0 && !std::filesystem::is_directory(folder)) {
    fail(folder.string(), "expected a folder, or a place for one");
  }
  return folder / "store.db";
}

std::string schema() {
  return std::string(kStoredFilesSchema) + kBatchTableSchema;
}

}  // namespace

struct BatchStore::Impl {
  Impl(const std::filesystem::path& folder, BatchStoreOptions some_options, Clock some_clock)
      : options(std::move(some_options)),
        clock(std::move(some_clock)),
        database(prepared(folder), kDatabaseKind, schema().c_str(), Durability::kEachCommit) {}

  BatchStoreOptions options;
  Clock clock;
  mutable std::mutex mutex;  // of all below
  Database database;
  StoredFiles files{database};
  BatchTable batches{database};
  // Lines that are being answered, by their batch's id. Not in the database: a process that ends
  // has none in hand.
  std::map<std::string, std::set<int64_t>> in_hand;

  int64_t now() const { return static_cast<int64_t>(std::floor(clock())); }
  size_t lines_in_hand(const std::string& batch) const;
  void put_back(const BatchLine& line);
  void do_what_is_due();
  void validate(const BatchKey& batch);
  void end(const BatchKey& batch, BatchStatus status);
  void check_room(const NewFile& file) const;
  void check_input(const NewBatch& batch) const;
};

size_t BatchStore::Impl::lines_in_hand(const std::string& batch) const {
  const auto found = in_hand.find(batch);
  return found == in_hand.end() ? 0 : found->second.size();
}

void BatchStore::Impl::put_back(const BatchLine& line) {
  const auto found = in_hand.find(line.batch);
  if (found == in_hand.end()) return;
  found->second.erase(line.number);
  if (found->second.empty()) in_hand.erase(found);
}

void BatchStore::Impl::do_what_is_due() {
  for (const BatchKey& batch : batches.with_status(BatchStatus::kValidating)) validate(batch);
  for (const BatchKey& batch : batches.with_status(BatchStatus::kFinalizing)) {
    end(batch, BatchStatus::kCompleted);
  }
  for (const BatchKey& batch : batches.with_status(BatchStatus::kCancelling)) {
    if (lines_in_hand(batch.id) == 0) end(batch, BatchStatus::kCancelled);
  }
  for (const BatchKey& batch : batches.with_status(BatchStatus::kInProgress)) {
    if (batch.expires <= now() && lines_in_hand(batch.id) == 0) end(batch, BatchStatus::kExpired);
  }
}

void BatchStore::Impl::validate(const BatchKey& batch) {
  BatchInput input(batch.endpoint, options.input);
  {
    Transaction transaction(database);
    int64_t lines = 0;
    const auto add = [&](const BatchInputLine& line) {
      if (!input.faults().empty()) return;
      batches.add_line(batch.row, line);
      ++lines;
    };
    for (int64_t offset = 0;; offset += kReadBytes) {
      const std::string part = files.read(batch.input_file, offset, kReadBytes);
      if (part.empty()) break;
      input.feed(part, add);
    }
    input.finish(add);
    if (input.faults().empty()) {
      batches.set_total(batch.row, lines);
      batches.set_status(batch.row, BatchStatus::kInProgress, now());
      transaction.commit();
      return;
    }
  }
  Transaction transaction(database);
  batches.set_faults(batch.row, input.faults());
  batches.set_status(batch.row, BatchStatus::kFailed, now());
  transaction.commit();
}

// Files, status and the end of the lines are one transaction: no line can be in two files, or in
// none.
void BatchStore::Impl::end(const BatchKey& batch, BatchStatus status) {
  Transaction transaction(database);
  const auto file = [&](const char* kind) {
    return StoredFile{.id = "",
                      .owner = batch.owner,
                      .purpose = "batch_output",
                      .name = fmt::format("{}_{}.jsonl", batch.id, kind),
                      .bytes = 0,
                      .created = now()};
  };
  FileWriter output(files, file("output"));
  FileWriter errors(files, file("error"));
  batches.each_result(batch.row, [&](const BatchResult& result) {
    const bool good = result.status >= 200 && result.status <= 299;
    (good ? output : errors).write(batch_result_line(batch.id, result, status));
  });
  const std::string output_file = output.finish();
  const std::string error_file = errors.finish();
  batches.set_results(batch.row, output_file, error_file);
  batches.remove_lines(batch.row);
  batches.set_status(batch.row, status, now());
  transaction.commit();
}

void BatchStore::Impl::check_room(const NewFile& file) const {
  const auto size = static_cast<int64_t>(file.content.size());
  if (files.count(file.owner) >= options.files_per_owner) {
    throw Full(
        fmt::format("files: no more than {} can be kept; delete some", options.files_per_owner));
  }
  if (files.bytes() + size > options.total_bytes) {
    throw Full(fmt::format("files: no room for {} bytes more; delete some", size));
  }
}

void BatchStore::Impl::check_input(const NewBatch& batch) const {
  const auto input = files.find(batch.owner, batch.input_file);
  if (!input) fail("input_file_id", "there is no file \"{}\"", printable(batch.input_file));
  if (input->purpose != "batch") {
    fail("input_file_id", "expected a file for batch, found one for {}", input->purpose);
  }
  if (batches.count_open(batch.owner) >= options.open_batches_per_owner) {
    throw Full(fmt::format("batches: {} are under way; wait for one to end",
                           options.open_batches_per_owner));
  }
}

BatchStore::BatchStore(const std::filesystem::path& folder, BatchStoreOptions options, Clock clock)
    : impl_(std::make_unique<Impl>(folder, std::move(options), std::move(clock))) {}

BatchStore::~BatchStore() = default;

StoredFile BatchStore::add_file(const NewFile& file) {
  check_new_file(file, impl_->options);
  const std::lock_guard lock(impl_->mutex);
  impl_->check_room(file);
  StoredFile stored{.id = "",
                    .owner = file.owner,
                    .purpose = file.purpose,
                    .name = file.name,
                    .bytes = static_cast<int64_t>(file.content.size()),
                    .created = impl_->now()};
  Transaction transaction(impl_->database);
  stored.id = impl_->files.add(stored, file.content);
  transaction.commit();
  return stored;
}

std::optional<StoredFile> BatchStore::file(std::string_view owner, std::string_view id) const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->files.find(owner, id);
}

std::optional<std::string> BatchStore::file_content(std::string_view owner, std::string_view id,
                                                    int64_t offset, int64_t most) const {
  const std::lock_guard lock(impl_->mutex);
  if (!impl_->files.find(owner, id)) return std::nullopt;
  return impl_->files.read(id, offset, most);
}

bool BatchStore::remove_file(std::string_view owner, std::string_view id) {
  const std::lock_guard lock(impl_->mutex);
  if (!impl_->files.find(owner, id)) return false;
  if (impl_->batches.validates(id)) {
    fail(printable(id), "a batch that has not been validated begins with this file");
  }
  impl_->files.remove(id);
  return true;
}

StorePage<StoredFile> BatchStore::files(std::string_view owner, std::string_view purpose,
                                        std::string_view after, int64_t limit,
                                        bool oldest_first) const {
  if (limit < 1 || limit > 10000) fail("limit", "expected 1 to 10000, found {}", limit);
  const std::lock_guard lock(impl_->mutex);
  return impl_->files.list(owner, purpose, after, limit, oldest_first);
}

StoredBatch BatchStore::create_batch(const NewBatch& batch) {
  const int64_t seconds = window_seconds(batch.window);
  check_new_batch(batch, impl_->options);
  const std::lock_guard lock(impl_->mutex);
  impl_->check_input(batch);
  StoredBatch created;
  created.id = "batch_" + random_hex(kIdBytes);
  created.owner = batch.owner;
  created.endpoint = batch.endpoint;
  created.input_file = batch.input_file;
  created.window = batch.window;
  created.metadata = batch.metadata;
  created.since[0] = impl_->now();
  created.expires = created.since[0] + seconds;
  Transaction transaction(impl_->database);
  const int64_t spare = impl_->options.batches_per_owner - impl_->batches.count(batch.owner);
  if (spare < 1) impl_->batches.forget(batch.owner, 1 - spare);
  impl_->batches.insert(created);
  transaction.commit();
  return created;
}

std::optional<StoredBatch> BatchStore::batch(std::string_view owner, std::string_view id) const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->batches.find(owner, id);
}

StorePage<StoredBatch> BatchStore::batches(std::string_view owner, std::string_view after,
                                           int64_t limit) const {
  if (limit < 1 || limit > 100) fail("limit", "expected 1 to 100, found {}", limit);
  const std::lock_guard lock(impl_->mutex);
  return impl_->batches.list(owner, after, limit);
}

std::optional<StoredBatch> BatchStore::cancel(std::string_view owner, std::string_view id) {
  const std::lock_guard lock(impl_->mutex);
  const auto found = impl_->batches.find(owner, id);
  if (!found || found->status == BatchStatus::kCancelling) return found;
  if (has_ended(found->status) || found->status == BatchStatus::kFinalizing) {
    fail(found->id, "cannot be cancelled: it is {}", status_name(found->status));
  }
  Transaction transaction(impl_->database);
  impl_->batches.set_status(impl_->batches.row_of(id), BatchStatus::kCancelling, impl_->now());
  transaction.commit();
  return impl_->batches.find(owner, id);
}

std::optional<BatchLine> BatchStore::next_line(const Wants& wants) {
  const std::lock_guard lock(impl_->mutex);
  impl_->do_what_is_due();
  std::vector<BatchKey> open = impl_->batches.with_status(BatchStatus::kInProgress);
  std::erase_if(open, [&](const BatchKey& batch) {
    return batch.expires <= impl_->now() || (wants && !wants(batch.owner));
  });
  std::stable_sort(open.begin(), open.end(), [&](const BatchKey& a, const BatchKey& b) {
    return impl_->lines_in_hand(a.id) < impl_->lines_in_hand(b.id);
  });
  for (const BatchKey& batch : open) {
    const auto hand = impl_->in_hand.find(batch.id);
    auto line = impl_->batches.pending_line(batch.row, [&](int64_t number) {
      return hand != impl_->in_hand.end() && hand->second.contains(number);
    });
    if (!line) continue;
    impl_->in_hand[batch.id].insert(line->number);
    return BatchLine{.batch = batch.id,
                     .number = line->number,
                     .owner = batch.owner,
                     .custom_id = std::move(line->custom_id),
                     .url = batch.endpoint,
                     .body = std::move(line->body)};
  }
  return std::nullopt;
}

bool BatchStore::finish_line(const BatchLine& line, const BatchAnswer& answer) {
  CHECK(answer.status >= 100 && answer.status <= 599);
  const std::string body = one_line(answer.body);
  const std::lock_guard lock(impl_->mutex);
  // If the database refuses the answer, the line has to be answered again.
  impl_->put_back(line);
  Transaction transaction(impl_->database);
  const bool taken = impl_->batches.answer(line.batch, {.number = line.number,
                                                        .custom_id = line.custom_id,
                                                        .status = answer.status,
                                                        .request_id = answer.request_id,
                                                        .body = body});
  if (taken && impl_->batches.is_done(line.batch)) {
    impl_->batches.set_status(impl_->batches.row_of(line.batch), BatchStatus::kFinalizing,
                              impl_->now());
  }
  transaction.commit();
  return taken;
}

void BatchStore::give_back(const BatchLine& line) {
  const std::lock_guard lock(impl_->mutex);
  impl_->put_back(line);
}

}  // namespace minke
