#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "serve/access/batch/batch_objects.h"
#include "serve/access/database.h"

namespace minke {

// Tables of StoredFiles. Content lies in pieces, so that no file has to be in memory whole.
extern const char* const kStoredFilesSchema;

template <typename Item>
struct StorePage {
  std::vector<Item> items;
  bool more = false;  // there are others behind the last
};

// Files within a database. Belongs to one thread at a time, as the database does. What changes
// several rows is to be called within a Transaction.
class StoredFiles {
 public:
  explicit StoredFiles(Database& database) : database_(database) {}

  // `file.id` and `file.bytes` are not looked at. Returns the file's id.
  std::string add(const StoredFile& file, std::string_view content);
  std::optional<StoredFile> find(std::string_view owner, std::string_view id) const;
  // At most `most` bytes from `offset`; "" behind the end. The file must be there.
  std::string read(std::string_view id, int64_t offset, int64_t most) const;
  void remove(std::string_view id);
  // Of `purpose`, or of any if it is "", behind the file `after` if that is not "". Newest first,
  // or oldest. Throws Error if `after` is not a file of the owner.
  StorePage<StoredFile> list(std::string_view owner, std::string_view purpose,
                             std::string_view after, int64_t limit, bool oldest_first) const;
  int64_t count(std::string_view owner) const;
  int64_t bytes() const;  // of all files

 private:
  friend class FileWriter;
  Database& database_;
};

// Writes a file from parts, within a Transaction. A file without bytes is not made.
class FileWriter {
 public:
  FileWriter(StoredFiles& files, StoredFile file) : files_(files), file_(std::move(file)) {}
  void write(std::string_view bytes);
  // Returns the file's id, "" if there is none.
  std::string finish();

 private:
  void flush();

  StoredFiles& files_;
  StoredFile file_;
  int64_t row_ = 0;
  int64_t pieces_ = 0;
  std::string open_;
};

}  // namespace minke
