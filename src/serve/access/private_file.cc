#include "serve/access/private_file.h"

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <thread>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/core/error.h"
#include "serve/access/hash.h"

namespace minke {
namespace {

std::filesystem::path folder_of(const std::filesystem::path& path) {
  return path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
}

[[noreturn]] void fail_with_errno(const std::filesystem::path& path, const char* what) {
  const int error = errno;
  fail(path.string(), "cannot {}: {}", what, std::strerror(error));
}

// A file under construction; unless it is renamed, it goes away.
class Draft {
 public:
  explicit Draft(const std::filesystem::path& path)
      : name_(fmt::format("{}.{}.tmp", path.string(), random_hex(8))),
        file_(::open(name_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600)) {
    if (!file_.open()) fail_with_errno(name_, "create");
  }
  ~Draft() {
    if (!renamed_) ::unlink(name_.c_str());
  }
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;

  int fd() const { return file_.get(); }
  const std::string& name() const { return name_; }
  void rename_to(const std::filesystem::path& path) {
    if (::rename(name_.c_str(), path.c_str()) != 0) fail_with_errno(path, "replace");
    renamed_ = true;
  }

 private:
  std::string name_;
  Descriptor file_;
  bool renamed_ = false;
};

}  // namespace

Descriptor::~Descriptor() {
  if (fd_ >= 0) ::close(fd_);
}

FileStamp stamp_of(const struct stat& status) {
  return {.device = status.st_dev,
          .node = status.st_ino,
          .bytes = status.st_size,
          .changed_seconds = status.st_ctim.tv_sec,
          .changed_nanoseconds = status.st_ctim.tv_nsec};
}

FileStamp stamp_of(const std::filesystem::path& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 ? stamp_of(status) : FileStamp{};
}

PrivateText read_private_file(const std::filesystem::path& path, int64_t most_bytes) {
  // Without O_NONBLOCK, opening a pipe would wait for somebody to write into it.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!file.open()) fail_with_errno(path, "open");
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) fail_with_errno(path, "read");
  if (!S_ISREG(status.st_mode)) fail(path.string(), "expected a file, found something else");
  if ((status.st_mode & 077) != 0) {
    fail(path.string(),
         "expected a file that only its owner may use (mode 0600), found mode {:04o}",
         status.st_mode & 07777);
  }
  PrivateText result{.text = {}, .stamp = stamp_of(status)};
  char buffer[1 << 16];
  for (;;) {
    const ssize_t got = ::read(file.get(), buffer, sizeof(buffer));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail_with_errno(path, "read");
    if (got == 0) return result;
    result.text.append(buffer, static_cast<size_t>(got));
    if (static_cast<int64_t>(result.text.size()) > most_bytes) {
      fail(path.string(), "expected at most {} bytes, found more", most_bytes);
    }
  }
}

void write_all(int fd, std::string_view bytes, const std::string& name) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail_with_errno(name, "write");
    bytes.remove_prefix(static_cast<size_t>(written));
  }
}

// Some file systems cannot open or sync folders; that is no failure of the disk.
void sync_folder_of(const std::filesystem::path& path) {
  const Descriptor folder(::open(folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.open() || ::fsync(folder.get()) == 0) return;
  if (errno == EIO || errno == ENOSPC || errno == EDQUOT) {
    fail_with_errno(path, "bring the folder's entry to disk");
  }
}

void write_private_file(const std::filesystem::path& path, std::string_view text) {
  Draft draft(path);
  struct stat owner {};
  struct stat mine {};
  const bool replaces = ::stat(path.c_str(), &owner) == 0;
  const bool given = replaces || (::geteuid() == 0 && ::stat(folder_of(path).c_str(), &owner) == 0);
  if (::fstat(draft.fd(), &mine) != 0) fail_with_errno(draft.name(), "read");
  const bool differs = owner.st_uid != mine.st_uid || owner.st_gid != mine.st_gid;
  if (given && differs && ::fchown(draft.fd(), owner.st_uid, owner.st_gid) != 0) {
    fail_with_errno(path, "keep the file's owner");
  }
  write_all(draft.fd(), text, draft.name());
  if (::fsync(draft.fd()) != 0) fail_with_errno(draft.name(), "bring to disk");
  draft.rename_to(path);
  sync_folder_of(path);
}

// The folder itself is locked: a lock file would have to belong to somebody.
FolderLock::FolderLock(const std::filesystem::path& path, double seconds)
    : folder_(::open(folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
  if (!folder_.open()) fail_with_errno(folder_of(path), "open");
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  while (::flock(folder_.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) fail_with_errno(folder_of(path), "lock");
    if (std::chrono::steady_clock::now() >= end) {
      fail(folder_of(path).string(), "another process changes files here");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

}  // namespace minke
