#include "base/core/atomic_file.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <random>

#include <fcntl.h>
#include <unistd.h>

#include "base/core/error.h"

namespace minke {
namespace {

constexpr size_t kBufferBytes = size_t{1} << 20;
constexpr int kMostTries = 100;  // names that others took

}  // namespace

AtomicFile::AtomicFile(const std::filesystem::path& path) : path_(path) {
  buffer_.reserve(kBufferBytes);
  create_temporary();
}

// As mkstemp() would, but with the permissions that any new file gets.
void AtomicFile::create_temporary() {
  std::random_device random;
  for (int tries = 0; tries < kMostTries; ++tries) {
    temporary_ = fmt::format("{}.{:06x}.tmp", path_.string(), random() & 0xffffff);
    fd_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd_ >= 0) return;
    if (errno != EEXIST) break;
  }
  fail_with_errno("create");
}

AtomicFile::~AtomicFile() {
  if (fd_ < 0) return;
  ::close(fd_);
  ::unlink(temporary_.c_str());
}

void AtomicFile::write(std::span<const uint8_t> bytes) {
  offset_ += bytes.size();
  if (buffer_.size() + bytes.size() > kBufferBytes) flush();
  if (bytes.size() >= kBufferBytes) {
    write_through(bytes);
  } else {
    buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
  }
}

void AtomicFile::pad(uint64_t alignment) {
  while (offset_ % alignment != 0) write_value(uint8_t{0});
}

void AtomicFile::commit() {
  flush();
  if (::fsync(fd_) != 0) fail_with_errno("write");
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail_with_errno("rename");
  ::close(fd_);
  fd_ = -1;
  sync_folder();
}

// The new name lasts once the folder is on disk too. Some file systems cannot open or sync folders
// (EINVAL, ENOTSUP, EACCES for a folder that may be written but not read); the file is whole either
// way, so that only a failure of the disk is told.
void AtomicFile::sync_folder() const {
  const auto folder = path_.has_parent_path() ? path_.parent_path() : std::filesystem::path(".");
  const int folder_fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder_fd < 0) return;
  const bool lost = ::fsync(folder_fd) != 0 && (errno == EIO || errno == ENOSPC || errno == EDQUOT);
  const int error = errno;
  ::close(folder_fd);
  if (lost) {
    fail(path_.string(), "cannot bring the folder's entry to disk: {}", std::strerror(error));
  }
}

void AtomicFile::flush() {
  write_through(buffer_);
  buffer_.clear();
}

void AtomicFile::write_through(std::span<const uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail_with_errno("write");
    bytes = bytes.subspan(static_cast<size_t>(written));
  }
}

void AtomicFile::fail_with_errno(const char* what) const {
  const int error = errno;
  fail(path_.string(), "cannot {} {}: {}", what, temporary_, std::strerror(error));
}

}  // namespace minke
