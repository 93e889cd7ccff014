#include "serve/access/audit_log.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <vector>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/core/error.h"
#include "base/core/mapped_file.h"

namespace minke {
namespace {

constexpr size_t kAsideDigits = 6;

struct AsideFile {
  int64_t number;
  std::filesystem::path path;
  bool operator==(const AsideFile&) const = default;
};

// The files of a log that were set aside, oldest first: its name, a dot and digits.
std::vector<AsideFile> aside_files(const std::filesystem::path& path) {
  std::vector<AsideFile> files;
  const std::string prefix = path.filename().string() + ".";
  const auto folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  std::error_code error;
  for (std::filesystem::directory_iterator i(folder, error), end; !error && i != end;
       i.increment(error)) {
    const std::string name = i->path().filename().string();
    if (!name.starts_with(prefix)) continue;
    const std::string_view digits = std::string_view(name).substr(prefix.size());
    int64_t number = 0;
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (digits.size() < kAsideDigits || read.ec != std::errc() || number < 1 ||
        read.ptr != digits.data() + digits.size()) {
      continue;
    }
    files.push_back({number, i->path()});
  }
  if (error) fail(folder.string(), "cannot read the folder: {}", error.message());
  std::sort(files.begin(), files.end(),
            [](const AsideFile& a, const AsideFile& b) { return a.number < b.number; });
  return files;
}

std::string_view text_of(const MappedFile& file) {
  return {reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()};
}

// `text` up to and with its last newline.
std::string_view whole_lines(std::string_view text) {
  const size_t newline = text.rfind('\n');
  return newline == std::string_view::npos ? std::string_view() : text.substr(0, newline + 1);
}

std::string_view last_line(std::string_view whole) {
  whole.remove_suffix(1);
  const size_t newline = whole.rfind('\n');
  return newline == std::string_view::npos ? whole : whole.substr(newline + 1);
}

// Checks the lines of one file on top of `verdict`; returns what is behind the last whole line.
std::string_view verify_lines(std::string_view text, const std::string& file,
                              AuditVerdict& verdict) {
  for (int64_t number = 1; !text.empty(); ++number) {
    const size_t newline = text.find('\n');
    if (newline == std::string_view::npos) return text;
    const std::string where = fmt::format("{}: line {}", file, number);
    try {
      const AuditLine line = read_audit_line(text.substr(0, newline), where);
      const bool begins = verdict.records == 0 && line.link.number > 1;
      if (!begins && line.link.number != verdict.last.number + 1) {
        fail(where, "expected record {}, found record {}", verdict.last.number + 1,
             line.link.number);
      }
      if (!begins && line.previous != verdict.last.hash) {
        fail(where, "expected a record that follows {}, found one that follows {}",
             verdict.last.hash, line.previous);
      }
      if (verdict.records == 0) verdict.first = line.link.number;
      verdict.last = line.link;
      ++verdict.records;
    } catch (const Error& error) {
      verdict.fault = error.what();
      return {};
    }
    text.remove_prefix(newline + 1);
  }
  return {};
}

AuditVerdict verify_files(const std::filesystem::path& path, const std::vector<AsideFile>& aside) {
  AuditVerdict verdict;
  for (size_t i = 0; i < aside.size() && verdict.fault.empty(); ++i) {
    const std::string name = aside[i].path.string();
    if (i > 0 && aside[i].number != aside[i - 1].number + 1) {
      verdict.fault = fmt::format("{}: expected file {} before it, found file {}", name,
                                  aside[i].number - 1, aside[i - 1].number);
      return verdict;
    }
    const auto file = MappedFile::open(aside[i].path);
    const std::string_view rest = verify_lines(text_of(*file), name, verdict);
    if (!rest.empty()) verdict.fault = fmt::format("{}: ends within a line", name);
  }
  // A log that stopped while a file was set aside has none that is current.
  if (!verdict.fault.empty() || (!aside.empty() && !std::filesystem::exists(path))) return verdict;
  const auto file = MappedFile::open(path);
  verdict.open_bytes =
      static_cast<int64_t>(verify_lines(text_of(*file), path.string(), verdict).size());
  if (verdict.records == 0 && verdict.open_bytes > 0 && verdict.fault.empty()) {
    verdict.fault = fmt::format("{}: expected records of a line each, found {} bytes and none",
                                path.string(), verdict.open_bytes);
  }
  return verdict;
}

}  // namespace

AuditVerdict verify_audit_log(const std::filesystem::path& path) {
  // A log that is in use may set a file aside meanwhile; what was seen then is of no use.
  for (;;) {
    const auto before = aside_files(path);
    AuditVerdict verdict = verify_files(path, before);
    if (aside_files(path) == before) return verdict;
  }
}

AuditLog::AuditLog(const std::filesystem::path& path, const AuditOptions& options, Clock clock)
    : path_(path), options_(options), clock_(std::move(clock)) {
  if (options_.file_bytes < 1) {
    fail("audit log", "file size: expected 1 or more, found {}", options_.file_bytes);
  }
  if (!(options_.sync_seconds >= 0 && options_.sync_seconds <= 3600)) {
    fail("audit log", "seconds until the disk: expected 0 to 3600, found {}",
         options_.sync_seconds);
  }
  open_file();
  continue_chain();
  if (options_.sync_seconds > 0) syncer_ = std::thread([this] { sync_until_stopped(); });
}

AuditLog::~AuditLog() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    if (unsynced_) ::fdatasync(file_->get());
  }
  stop_.notify_all();
  if (syncer_.joinable()) syncer_.join();
}

void AuditLog::open_file() {
  const std::string name = path_.string();
  const int flags = O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
  const auto file = std::make_shared<const Descriptor>(::open(name.c_str(), flags, 0600));
  if (!file->open()) fail(name, "cannot open: {}", std::strerror(errno));
  if (::flock(file->get(), LOCK_EX | LOCK_NB) != 0) {
    fail(name, "cannot be used: another process has it, or {}", std::strerror(errno));
  }
  sync_folder_of(path_);
  file_ = file;
}

// Finds the last record, in this file or, if it is empty, in the one set aside last.
void AuditLog::continue_chain() {
  const auto aside = aside_files(path_);
  if (!aside.empty()) next_aside_ = aside.back().number + 1;
  const auto current = MappedFile::open(path_);
  const std::string_view text = text_of(*current);
  const std::string_view whole = whole_lines(text);
  bytes_ = static_cast<int64_t>(whole.size());
  if (!whole.empty()) {
    last_ = read_audit_line(last_line(whole), path_.string() + ": last line").link;
  } else if (!aside.empty()) {
    const std::string name = aside.back().path.string();
    const auto before = MappedFile::open(aside.back().path);
    const std::string_view lines = whole_lines(text_of(*before));
    if (lines.empty()) fail(name, "expected records, found none");
    last_ = read_audit_line(last_line(lines), name + ": last line").link;
  }
  if (whole.size() < text.size()) set_torn_end_apart(text.substr(whole.size()));
}

// The copy is on disk before the original is cut off: whenever this stops, it can be done again.
void AuditLog::set_torn_end_apart(std::string_view text) {
  const std::string torn(text);
  const std::string name = fmt::format("{}.torn-{}", path_.string(), last_.number + 1);
  write_private_file(name, torn);
  if (::ftruncate(file_->get(), bytes_) != 0) {
    fail(path_.string(), "cannot cut its torn end off: {}", std::strerror(errno));
  }
  write_line(
      audit_torn_line(last_, clock_(), torn, std::filesystem::path(name).filename().string()));
  sync_now();
}

void AuditLog::append(AuditRecord record) {
  if (record.time == 0) record.time = clock_();
  const std::lock_guard lock(mutex_);
  // Pages that could not be written are taken for written by the next sync: nothing after such a
  // failure can be relied on.
  if (!problem_.empty()) throw Error(problem_);
  write_line(audit_line(last_, record, options_.content));
  if (options_.sync_seconds == 0) sync_now();
}

void AuditLog::write_line(const AuditText& text) {
  const auto size = static_cast<int64_t>(text.line.size()) + 1;
  if (bytes_ > 0 && bytes_ + size > options_.file_bytes) set_aside();
  try {
    write_all(file_->get(), text.line + "\n", path_.string());
  } catch (const Error&) {
    // Half a line, when the disk is full, must not be what the next one is written behind.
    if (::ftruncate(file_->get(), bytes_) != 0) {
      problem_ = fmt::format("{}: ends within a line that cannot be taken back: {}", path_.string(),
                             std::strerror(errno));
    }
    throw;
  }
  bytes_ += size;
  unsynced_ = true;
  last_ = text.link;
}

void AuditLog::set_aside() {
  if (!is_aside_) {
    sync_now();
    const std::string name = fmt::format("{}.{:0{}}", path_.string(), next_aside_, kAsideDigits);
    if (std::filesystem::exists(name) || ::rename(path_.c_str(), name.c_str()) != 0) {
      fail(path_.string(), "cannot be set aside as {}: {}", name, std::strerror(errno));
    }
    ++next_aside_;
    is_aside_ = true;
  }
  open_file();
  is_aside_ = false;
  bytes_ = 0;
}

void AuditLog::sync_now() {
  if (::fdatasync(file_->get()) != 0) {
    problem_ = fmt::format("{}: cannot bring to disk: {}", path_.string(), std::strerror(errno));
    throw Error(problem_);
  }
  unsynced_ = false;
}

void AuditLog::sync_until_stopped() {
  const auto interval = std::chrono::duration<double>(options_.sync_seconds);
  std::unique_lock lock(mutex_);
  while (!stop_.wait_for(lock, interval, [&] { return stopping_; })) {
    if (!unsynced_ || !problem_.empty()) continue;
    // Records go on while the disk is busy.
    const auto file = file_;
    unsynced_ = false;
    lock.unlock();
    const bool synced = ::fdatasync(file->get()) == 0;
    const int error = errno;
    lock.lock();
    if (!synced) {
      problem_ = fmt::format("{}: cannot bring to disk: {}", path_.string(), std::strerror(error));
    }
  }
}

AuditLink AuditLog::last() const {
  const std::lock_guard lock(mutex_);
  return last_;
}

}  // namespace minke
