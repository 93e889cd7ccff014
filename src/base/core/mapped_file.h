#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace minke {

// A whole file mapped read-only. The mapping lives as long as the object; share it with
// std::shared_ptr to keep views valid. A file that shrinks while mapped raises SIGBUS on access;
// model files are taken to be stable while a model is loaded.
class MappedFile {
 public:
  // Throws Error if the file cannot be opened, is not a regular file, or cannot be mapped. An empty
  // file maps to no bytes.
  static std::shared_ptr<const MappedFile> open(const std::filesystem::path& path);

  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::span<const uint8_t> bytes() const { return {data_, size_}; }
  const std::string& name() const { return name_; }

 private:
  MappedFile(const uint8_t* data, size_t size, std::string name)
      : data_(data), size_(size), name_(std::move(name)) {}

  const uint8_t* data_;
  size_t size_;
  std::string name_;
};

// What lies at a path, for error messages: "a pipe", "a folder".
std::string_view describe_file_type(std::filesystem::file_type type);

// The whole content of a text file. Throws Error if it cannot be read.
std::string read_text_file(const std::filesystem::path& path);

}  // namespace minke
