#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include <sys/stat.h>

namespace minke {

// An open file, closed at the end.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  ~Descriptor();
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  int get() const { return fd_; }
  bool open() const { return fd_ >= 0; }

 private:
  int fd_;
};

// What changes when a file is written or replaced. All zero: there is none.
struct FileStamp {
  uint64_t device = 0, node = 0;
  int64_t bytes = 0, changed_seconds = 0, changed_nanoseconds = 0;
  bool operator==(const FileStamp&) const = default;
};
FileStamp stamp_of(const struct stat& status);
FileStamp stamp_of(const std::filesystem::path& path);

struct PrivateText {
  std::string text;
  FileStamp stamp;
};

// The content of a file of secrets. Throws Error if it cannot be read, is not a regular file, has
// more than `most_bytes`, or if others than its owner have rights to it.
PrivateText read_private_file(const std::filesystem::path& path, int64_t most_bytes);

// Puts a file of mode 0600 in the place of `path`, whole or not at all, and brings it to disk. It
// gets the owner of the file that was there; if there was none and root writes, that of the folder:
// what root does for a service, the service can read. Throws Error if the system refuses.
void write_private_file(const std::filesystem::path& path, std::string_view text);

// Writes all of `bytes`. Throws Error begun by `name`.
void write_all(int fd, std::string_view bytes, const std::string& name);

// Brings the names in `path`'s folder to disk. Throws Error if the disk fails.
void sync_folder_of(const std::filesystem::path& path);

// The right to change files in a folder, among all processes that ask for it.
class FolderLock {
 public:
  // Of the folder that `path` is in. Throws Error if another process keeps it for `seconds`.
  FolderLock(const std::filesystem::path& path, double seconds);

 private:
  Descriptor folder_;
};

}  // namespace minke
