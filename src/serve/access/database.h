#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "serve/access/private_file.h"

struct sqlite3;
struct sqlite3_stmt;

namespace minke {

enum class Durability {
  kEachCommit,  // is on disk when it returns
  kProcess,     // outlives the process; the last commits may be lost when the machine stops
};

// A SQLite database of this program: write-ahead log, foreign keys, nothing in the file's schema is
// trusted, mode 0600, one process at a time (others may read). A database and its statements belong
// to one thread at a time. Every failure is an Error that names the file.
class Database {
 public:
  // Opens the file, or makes it with the tables of `schema`. `kind` says in the file whose it is.
  // Throws Error if another process has it, if it is another kind's or another version's, or if it
  // cannot be used.
  Database(const std::filesystem::path& path, int32_t kind, const char* schema,
           Durability durability);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  void run(const char* sql);  // statements without parameters
  int64_t changes() const;    // rows that the last statement changed
  int64_t last_row() const;   // number of the row that was put in last

 private:
  friend class Statement;
  void create(int32_t kind, const char* schema);
  [[noreturn]] void fail_with_message(const char* what) const;

  std::string name_;
  Descriptor lock_;
  sqlite3* handle_ = nullptr;
};

struct Blob {
  std::string_view bytes;
};

// One statement with its parameters, in the order of their question marks: int64_t, text, Blob.
class Statement {
 public:
  template <typename... Values>
  Statement(Database& database, const char* sql, const Values&... values)
      : Statement(database, sql, Bare{}) {
    int index = 0;
    (bind(++index, values), ...);
  }
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  bool step();  // to the next row; false behind the last
  void run();   // a statement that has no rows

  int64_t integer(int column) const;
  // Valid until the next step.
  std::string_view bytes(int column) const;
  std::string text(int column) const { return std::string(bytes(column)); }

 private:
  struct Bare {};
  Statement(Database& database, const char* sql, Bare);
  void bind(int index, int64_t value);
  void bind(int index, std::string_view value);
  void bind(int index, Blob value);
  void check(int code, const char* what) const;

  Database& database_;
  sqlite3_stmt* handle_ = nullptr;
};

// All or nothing of what is done until commit(); without it, nothing.
class Transaction {
 public:
  explicit Transaction(Database& database);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit();

 private:
  Database& database_;
  bool open_ = true;
};

}  // namespace minke
