#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace minke {

// A file that appears under its name whole or not at all: written to a new file PATH.XXXXXX.tmp in
// the same folder, brought to disk, renamed. Unless commit() succeeds, that file is removed. Of
// several writers of one path, each has a file of its own; the last to commit is what stays. Every
// failure of the system (no room, no permission) is an Error that names the file.
class AtomicFile {
 public:
  explicit AtomicFile(const std::filesystem::path& path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(std::span<const uint8_t> bytes);
  void write(std::string_view text) {
    write({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
  }
  // A number or enum as it is in memory (little-endian).
  template <typename T>
  void write_value(T value) {
    write({reinterpret_cast<const uint8_t*>(&value), sizeof(value)});
  }
  // Zeros up to the next multiple of `alignment`.
  void pad(uint64_t alignment);
  uint64_t offset() const { return offset_; }

  // Throws Error if the bytes or the folder's entry cannot be brought to disk.
  void commit();

 private:
  void create_temporary();
  void sync_folder() const;
  void flush();
  void write_through(std::span<const uint8_t> bytes);
  [[noreturn]] void fail_with_errno(const char* what) const;

  std::filesystem::path path_;
  std::string temporary_;
  int fd_ = -1;
  uint64_t offset_ = 0;
  std::vector<uint8_t> buffer_;
};

}  // namespace minke
