#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/error.h"
#include "serve/access/batch/batch_input.h"
#include "serve/access/batch/batch_objects.h"
#include "serve/access/batch/stored_files.h"
#include "serve/access/clock.h"

namespace minke {

struct BatchStoreOptions {
  std::vector<std::string> endpoints = {"/v1/chat/completions", "/v1/completions"};
  std::vector<std::string> purposes = {"batch", "user_data"};  // of files that clients bring
  BatchInputLimits input;
  int64_t file_bytes = 64 << 20;           // most of a file that a client brings
  int64_t total_bytes = int64_t{8} << 30;  // of all files, beyond which clients can bring none
  int64_t files_per_owner = 1000;
  int64_t open_batches_per_owner = 50;
  int64_t batches_per_owner = 1000;  // beyond which the oldest that have ended are forgotten
};

struct NewFile {
  std::string owner;
  std::string purpose;
  std::string name;  // as the client calls it; at most 255 bytes of UTF-8
  std::string_view content;
};

struct NewBatch {
  std::string owner;
  std::string input_file;
  std::string endpoint;
  std::string window = "24h";  // 1h to 168h
  BatchMetadata metadata;      // at most 16 pairs, of 64 and 512 bytes
};

// A line to be answered: its body is a request to `url`.
struct BatchLine {
  std::string batch;
  int64_t number = 0;
  std::string owner;
  std::string custom_id;
  std::string url;
  std::string body;
};

struct BatchAnswer {
  int status = 200;        // of the HTTP answer that the request would have had
  std::string request_id;  // as in that answer
  std::string body;        // JSON
};

// Files and batches of files, in the folder's store.db. What a function has done is on the disk
// when it returns. A process that is killed loses nothing of what was accepted: lines that it was
// answering are handed out again when the store is opened, and each line stands in a batch's output
// or error file once. Owners see nothing of each other. All functions may be called from any
// thread; one process at a time can have a store. Whatever the disk or the database refuses is an
// Error.
class BatchStore {
 public:
  // A limit of the store is reached: it is not the request that is wrong.
  class Full : public Error {
   public:
    using Error::Error;
  };

  // Makes the folder (mode 0700) if it is not there.
  BatchStore(const std::filesystem::path& folder, BatchStoreOptions options,
             Clock clock = unix_seconds);
  ~BatchStore();

  // Throws Full, and Error for an empty or too large file, a purpose or a name that cannot be.
  StoredFile add_file(const NewFile& file);
  std::optional<StoredFile> file(std::string_view owner, std::string_view id) const;
  // At most `most` bytes from `offset`, "" behind the end; none if the owner has no such file.
  std::optional<std::string> file_content(std::string_view owner, std::string_view id,
                                          int64_t offset, int64_t most) const;
  // False if the owner has no such file. Throws Error for the input of a batch that is validating.
  bool remove_file(std::string_view owner, std::string_view id);
  // See StoredFiles::list. `limit` from 1 to 10000, or Error.
  StorePage<StoredFile> files(std::string_view owner, std::string_view purpose,
                              std::string_view after, int64_t limit, bool oldest_first) const;

  // The batch begins as kValidating; next_line() validates it, and it goes on as kInProgress, or as
  // kFailed with what is wrong with its file. Throws Full, and Error that names the field for what
  // can be known at once.
  StoredBatch create_batch(const NewBatch& batch);
  std::optional<StoredBatch> batch(std::string_view owner, std::string_view id) const;
  // Newest first. `limit` from 1 to 100; throws Error for another one or an unknown `after`.
  StorePage<StoredBatch> batches(std::string_view owner, std::string_view after,
                                 int64_t limit) const;
  // No more lines are handed out; those that are being answered may still be finished, or given
  // back. None if the owner has no such batch; throws Error if it has ended.
  std::optional<StoredBatch> cancel(std::string_view owner, std::string_view id);

  // First does what is due: validates batches, writes the files of those whose lines are done, ends
  // those that were cancelled or whose window has passed. Then hands out a line of the batch that
  // has the fewest in hand, of these the oldest; none if there is none now. `wants` says whose
  // lines are asked for; null: everybody's.
  using Wants = std::function<bool(const std::string& owner)>;
  std::optional<BatchLine> next_line(const Wants& wants = nullptr);
  // True if the answer was taken: status 200 to 299 goes to the output file, all else to the error
  // file. False if the line has an answer, or if its batch has ended. Throws Error for a body that
  // is not JSON; the line is then still in hand.
  bool finish_line(const BatchLine& line, const BatchAnswer& answer);
  // The line will be handed out again.
  void give_back(const BatchLine& line);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace minke
