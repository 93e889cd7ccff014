#pragma once

#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "serve/access/audit_chain.h"
#include "serve/access/clock.h"
#include "serve/access/private_file.h"

namespace minke {

struct AuditOptions {
  bool content = false;            // prompts and answers themselves, not only their hashes
  int64_t file_bytes = 256 << 20;  // a file that would grow beyond is set aside as PATH.000001, ...
  double sync_seconds = 1;         // until records are on disk; 0: when append() returns
};

// An append-only log of requests: lines of JSON, each with the hash of the one before, so that a
// record that is changed, taken out or put in shows. What the chain cannot show is that its end was
// cut off, or that all of it was written anew: for that, last() has to be noted elsewhere from time
// to time.
//
// A record outlives the process when append() returns, and the machine `sync_seconds` later. An end
// that is not a whole line, which a machine that stops may leave, is set apart as
// PATH.torn-<number> when the log is opened, and the chain goes on with a record that says so.
// Files are of mode 0600; one process at a time can have a log. All functions may be called from
// any thread.
class AuditLog {
 public:
  // Opens the log or begins one. Throws Error if it cannot be used, or if its last record is
  // broken.
  AuditLog(const std::filesystem::path& path, const AuditOptions& options,
           Clock clock = unix_seconds);
  ~AuditLog();
  AuditLog(const AuditLog&) = delete;
  AuditLog& operator=(const AuditLog&) = delete;

  // Throws Error if the record cannot be written, or if those before it could not be brought to
  // disk; the chain is whole in any case. `record.time` 0: of the clock.
  void append(AuditRecord record);

  AuditLink last() const;
  // Whether it wants prompts and answers themselves.
  bool keeps_content() const { return options_.content; }

 private:
  void open_file();
  void continue_chain();
  void set_torn_end_apart(std::string_view text);
  void write_line(const AuditText& text);
  void set_aside();
  void sync_now();
  void sync_until_stopped();

  std::filesystem::path path_;
  AuditOptions options_;
  Clock clock_;
  mutable std::mutex mutex_;                // of all below
  std::shared_ptr<const Descriptor> file_;  // the thread that syncs may hold it longer
  int64_t bytes_ = 0;                       // of the file
  int64_t next_aside_ = 1;
  bool is_aside_ = false;  // the file, and there is no new one yet
  AuditLink last_;
  bool unsynced_ = false;
  std::string problem_;
  bool stopping_ = false;
  std::condition_variable stop_;
  std::thread syncer_;
};

struct AuditVerdict {
  int64_t records = 0;     // that are whole, before the first fault
  int64_t first = 0;       // number of the first; above 1 if older files were taken away
  AuditLink last;          // to be compared with what was noted elsewhere
  std::string fault;       // the first: file, line, and what is wrong; "": none
  int64_t open_bytes = 0;  // at the end, that are no whole line: torn, or just being written
};

// Looks at all records of a log and of the files set aside, in order. Throws Error if a file cannot
// be read.
AuditVerdict verify_audit_log(const std::filesystem::path& path);

}  // namespace minke
