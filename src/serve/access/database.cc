#include "serve/access/database.h"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/file.h>

#include "base/core/check.h"
#include "base/core/error.h"

namespace minke {
namespace {

constexpr int64_t kVersion = 1;
// Those who read the file from outside, to make a backup, may be waited for this long.
constexpr int kBusyMilliseconds = 5000;

// SQLite's own files get the mode of the first, so that this one is made beforehand.
Descriptor make_and_lock(const std::filesystem::path& path) {
  const std::string lock = path.string() + ".lock";
  Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file.open()) fail(path.string(), "cannot open: {}", std::strerror(errno));
  Descriptor held(::open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!held.open()) fail(lock, "cannot open: {}", std::strerror(errno));
  if (::flock(held.get(), LOCK_EX | LOCK_NB) != 0) {
    fail(path.string(), "cannot be used: another process has it, or {}", std::strerror(errno));
  }
  return held;
}

}  // namespace

Database::Database(const std::filesystem::path& path, int32_t kind, const char* schema,
                   Durability durability)
    : name_(path.string()), lock_(make_and_lock(path)) {
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_FULLMUTEX | SQLITE_OPEN_NOFOLLOW;
  const int code = ::sqlite3_open_v2(name_.c_str(), &handle_, flags, nullptr);
  try {
    if (handle_ == nullptr) fail(name_, "cannot open: no memory");
    if (code != SQLITE_OK) fail_with_message("open");
    ::sqlite3_busy_timeout(handle_, kBusyMilliseconds);
    ::sqlite3_db_config(handle_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    run("PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON; PRAGMA foreign_keys=ON;"
        "PRAGMA secure_delete=ON; PRAGMA journal_mode=WAL; PRAGMA journal_size_limit=67108864");
    run(durability == Durability::kEachCommit ? "PRAGMA synchronous=FULL"
                                              : "PRAGMA synchronous=NORMAL");
    create(kind, schema);
  } catch (...) {
    ::sqlite3_close(handle_);
    throw;
  }
}

Database::~Database() {
  CHECK(::sqlite3_close(handle_) == SQLITE_OK);  // all statements are gone
}

void Database::create(int32_t kind, const char* schema) {
  const auto pragma = [&](const char* sql) {
    Statement statement(*this, sql);
    return statement.step() ? statement.integer(0) : 0;
  };
  Transaction transaction(*this);
  const int64_t found_kind = pragma("PRAGMA application_id");
  const int64_t found_version = pragma("PRAGMA user_version");
  if (found_kind == 0 && found_version == 0 && pragma("SELECT count(*) FROM sqlite_schema") == 0) {
    run(schema);
    run(fmt::format("PRAGMA application_id={}; PRAGMA user_version={}", kind, kVersion).c_str());
  } else if (found_kind != kind || found_version != kVersion) {
    fail(name_, "expected a database of kind {:#x}, version {}, found kind {:#x}, version {}", kind,
         kVersion, found_kind, found_version);
  }
  transaction.commit();
}

void Database::run(const char* sql) {
  if (::sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr) != SQLITE_OK)
    fail_with_message("use");
}

int64_t Database::changes() const {
  return ::sqlite3_changes64(handle_);
}

int64_t Database::last_row() const {
  return ::sqlite3_last_insert_rowid(handle_);
}

void Database::fail_with_message(const char* what) const {
  fail(name_, "cannot {}: {}", what, ::sqlite3_errmsg(handle_));
}

Statement::Statement(Database& database, const char* sql, Bare) : database_(database) {
  check(::sqlite3_prepare_v2(database.handle_, sql, -1, &handle_, nullptr), "prepare");
}

Statement::~Statement() {
  ::sqlite3_finalize(handle_);
}

void Statement::check(int code, const char* what) const {
  if (code != SQLITE_OK) database_.fail_with_message(what);
}

void Statement::bind(int index, int64_t value) {
  check(::sqlite3_bind_int64(handle_, index, value), "bind");
}

// SQLite copies the values: temporaries may be bound.
void Statement::bind(int index, std::string_view value) {
  const char* text = value.data() == nullptr ? "" : value.data();
  check(::sqlite3_bind_text64(handle_, index, text, value.size(), SQLITE_TRANSIENT, SQLITE_UTF8),
        "bind");
}

void Statement::bind(int index, Blob value) {
  const char* bytes = value.bytes.data() == nullptr ? "" : value.bytes.data();
  check(::sqlite3_bind_blob64(handle_, index, bytes, value.bytes.size(), SQLITE_TRANSIENT), "bind");
}

bool Statement::step() {
  const int code = ::sqlite3_step(handle_);
  if (code != SQLITE_ROW && code != SQLITE_DONE) database_.fail_with_message("use");
  return code == SQLITE_ROW;
}

void Statement::run() {
  CHECK(!step());
}

int64_t Statement::integer(int column) const {
  return ::sqlite3_column_int64(handle_, column);
}

std::string_view Statement::bytes(int column) const {
  const void* data = ::sqlite3_column_blob(handle_, column);
  const int size = ::sqlite3_column_bytes(handle_, column);
  return {static_cast<const char*>(data), data == nullptr ? 0 : static_cast<size_t>(size)};
}

Transaction::Transaction(Database& database) : database_(database) {
  database_.run("BEGIN IMMEDIATE");
}

// A commit that failed may have rolled back by itself; then there is nothing to roll back.
Transaction::~Transaction() {
  if (!open_) return;
  try {
    database_.run("ROLLBACK");
  } catch (const Error&) {
  }
}

void Transaction::commit() {
  database_.run("COMMIT");
  open_ = false;
}

}  // namespace minke
