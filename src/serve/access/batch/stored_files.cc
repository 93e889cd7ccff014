#include "serve/access/batch/stored_files.h"

#include <algorithm>

#include "base/core/check.h"
#include "base/core/error.h"
#include "serve/access/hash.h"

namespace minke {
namespace {

constexpr int64_t kPieceBytes = 1 << 20;
constexpr size_t kIdBytes = 12;
constexpr const char* kColumns = "id, owner, purpose, name, bytes, created";

StoredFile file_of(const Statement& row) {
  return {.id = row.text(0),
          .owner = row.text(1),
          .purpose = row.text(2),
          .name = row.text(3),
          .bytes = row.integer(4),
          .created = row.integer(5)};
}

}  // namespace

const char* const kStoredFilesSchema = R"(
CREATE TABLE files (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, owner TEXT NOT NULL,
  purpose TEXT NOT NULL, name TEXT NOT NULL, bytes INTEGER NOT NULL,
  created INTEGER NOT NULL) STRICT;
CREATE INDEX files_of_owner ON files (owner, seq);
CREATE TABLE pieces (
  file INTEGER NOT NULL REFERENCES files (seq) ON DELETE CASCADE, number INTEGER NOT NULL,
  content BLOB NOT NULL, PRIMARY KEY (file, number)) STRICT;
)";

std::string StoredFiles::add(const StoredFile& file, std::string_view content) {
  FileWriter writer(*this, file);
  writer.write(content);
  return writer.finish();
}

std::optional<StoredFile> StoredFiles::find(std::string_view owner, std::string_view id) const {
  const std::string sql = fmt::format("SELECT {} FROM files WHERE id = ? AND owner = ?", kColumns);
  Statement row(database_, sql.c_str(), id, owner);
  if (!row.step()) return std::nullopt;
  return file_of(row);
}

std::string StoredFiles::read(std::string_view id, int64_t offset, int64_t most) const {
  CHECK(offset >= 0 && most >= 0);
  Statement pieces(database_,
                   "SELECT content FROM pieces WHERE file = (SELECT seq FROM files WHERE id = ?)"
                   " AND number >= ? ORDER BY number",
                   id, offset / kPieceBytes);
  std::string out;
  auto skip = static_cast<size_t>(offset % kPieceBytes);
  while (static_cast<int64_t>(out.size()) < most && pieces.step()) {
    const std::string_view piece = pieces.bytes(0);
    out += piece.substr(std::min(skip, piece.size()), static_cast<size_t>(most) - out.size());
    skip = 0;
  }
  return out;
}

void StoredFiles::remove(std::string_view id) {
  Statement(database_, "DELETE FROM files WHERE id = ?", id).run();
}

StorePage<StoredFile> StoredFiles::list(std::string_view owner, std::string_view purpose,
                                        std::string_view after, int64_t limit,
                                        bool oldest_first) const {
  CHECK(limit >= 1);
  int64_t behind = oldest_first ? 0 : INT64_MAX;
  if (!after.empty()) {
    Statement row(database_, "SELECT seq FROM files WHERE id = ? AND owner = ?", after, owner);
    if (!row.step()) fail("after", "expected a file's id, found \"{}\"", printable(after));
    behind = row.integer(0);
  }
  const std::string sql = fmt::format(
      "SELECT {} FROM files WHERE owner = ?1 AND (?2 = '' OR purpose = ?2) AND seq {} ?3"
      " ORDER BY seq {} LIMIT ?4",
      kColumns, oldest_first ? ">" : "<", oldest_first ? "ASC" : "DESC");
  Statement rows(database_, sql.c_str(), owner, purpose, behind, limit + 1);
  StorePage<StoredFile> page;
  while (rows.step()) page.items.push_back(file_of(rows));
  page.more = static_cast<int64_t>(page.items.size()) > limit;
  if (page.more) page.items.pop_back();
  return page;
}

int64_t StoredFiles::count(std::string_view owner) const {
  Statement row(database_, "SELECT count(*) FROM files WHERE owner = ?", owner);
  CHECK(row.step());
  return row.integer(0);
}

int64_t StoredFiles::bytes() const {
  Statement row(database_, "SELECT coalesce(sum(bytes), 0) FROM files");
  CHECK(row.step());
  return row.integer(0);
}

void FileWriter::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const size_t room = static_cast<size_t>(kPieceBytes) - open_.size();
    open_ += bytes.substr(0, room);
    bytes.remove_prefix(std::min(room, bytes.size()));
    if (static_cast<int64_t>(open_.size()) == kPieceBytes) flush();
  }
}

void FileWriter::flush() {
  Database& database = files_.database_;
  if (row_ == 0) {
    file_.id = "file-" + random_hex(kIdBytes);
    Statement(database,
              "INSERT INTO files (id, owner, purpose, name, bytes, created)"
              " VALUES (?, ?, ?, ?, 0, ?)",
              file_.id, file_.owner, file_.purpose, file_.name, file_.created)
        .run();
    row_ = database.last_row();
    file_.bytes = 0;
  }
  Statement(database, "INSERT INTO pieces VALUES (?, ?, ?)", row_, pieces_, Blob{open_}).run();
  ++pieces_;
  file_.bytes += static_cast<int64_t>(open_.size());
  open_.clear();
}

std::string FileWriter::finish() {
  if (!open_.empty()) flush();
  if (row_ == 0) return "";
  Statement(files_.database_, "UPDATE files SET bytes = ? WHERE seq = ?", file_.bytes, row_).run();
  return file_.id;
}

}  // namespace minke
