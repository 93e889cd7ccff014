#include "serve/access/database.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/core/test_folder.h"

namespace minke {
namespace {

using testing::error_of;
using testing::TempFolder;

constexpr const char* kSchema = "CREATE TABLE t (a INTEGER NOT NULL, b TEXT NOT NULL) STRICT";

TEST(Database, KeepsRowsAndBytes) {
  const TempFolder folder;
  const std::string text("a\0'; DROP TABLE t; --\xc3\xa9", 24);
  {
    Database database(folder / "d.db", 7, kSchema, Durability::kEachCommit);
    Statement(database, "INSERT INTO t VALUES (?, ?)", int64_t{1} << 60, text).run();
    EXPECT_EQ(database.changes(), 1);
    Statement(database, "INSERT INTO t VALUES (?, ?)", int64_t{-1}, std::string_view()).run();
  }
  Database database(folder / "d.db", 7, kSchema, Durability::kProcess);
  Statement rows(database, "SELECT a, b FROM t ORDER BY a DESC");
  ASSERT_TRUE(rows.step());
  EXPECT_EQ(rows.integer(0), int64_t{1} << 60);
  EXPECT_EQ(rows.text(1), text);
  ASSERT_TRUE(rows.step());
  EXPECT_EQ(rows.text(1), "");
  EXPECT_FALSE(rows.step());
  struct stat status {};
  for (const char* name : {"d.db", "d.db-wal", "d.db.lock"}) {
    ASSERT_EQ(::stat((folder / name).c_str(), &status), 0) << name;
    EXPECT_EQ(status.st_mode & 07777, 0600u) << name;
  }
}

TEST(Database, TransactionsAreAllOrNothing) {
  const TempFolder folder;
  Database database(folder / "d.db", 7, kSchema, Durability::kEachCommit);
  const auto count = [&] {
    Statement row(database, "SELECT count(*) FROM t");
    return row.step() ? row.integer(0) : -1;
  };
  {
    Transaction transaction(database);
    database.run("INSERT INTO t VALUES (1, 'a')");
  }
  EXPECT_EQ(count(), 0);
  {
    Transaction transaction(database);
    database.run("INSERT INTO t VALUES (1, 'a')");
    transaction.commit();
  }
  EXPECT_EQ(count(), 1);
}

TEST(Database, TypesAreStrict) {
  const TempFolder folder;
  Database database(folder / "d.db", 7, kSchema, Durability::kEachCommit);
  EXPECT_NE(error_of([&] { database.run("INSERT INTO t VALUES ('x', 'a')"); }).find("INTEGER"),
            std::string::npos);
  EXPECT_NE(error_of([&] { Statement(database, "SELEKT"); }).find("d.db"), std::string::npos);
}

TEST(Database, IsOneProcessesAndOneKinds) {
  const TempFolder folder;
  {
    const Database database(folder / "d.db", 7, kSchema, Durability::kEachCommit);
    EXPECT_NE(error_of([&] {
                Database(folder / "d.db", 7, kSchema, Durability::kEachCommit);
              }).find("another process"),
              std::string::npos);
  }
  EXPECT_NE(error_of([&] {
              Database(folder / "d.db", 8, kSchema, Durability::kEachCommit);
            }).find("expected a database of kind 0x8, version 1, found kind 0x7"),
            std::string::npos);
  folder.file("text.db", std::string(5000, 'x'));
  EXPECT_NE(error_of([&] {
              Database(folder / "text.db", 7, kSchema, Durability::kEachCommit);
            }).find("not a database"),
            std::string::npos);
  EXPECT_NE(error_of([&] {
              Database(folder / "no" / "d.db", 7, kSchema, Durability::kEachCommit);
            }).find("cannot open"),
            std::string::npos);
}

}  // namespace
}  // namespace minke
