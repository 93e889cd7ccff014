#include "serve/access/audit_log.h"

#include <csignal>
#include <fstream>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/core/mapped_file.h"
#include "base/core/rng.h"
#include "base/core/test_folder.h"
#include "serve/access/hash.h"
#include "serve/access/kill_testing.h"

namespace minke {
namespace {

using testing::error_of;
using testing::TempFolder;

AuditRecord record(int n) {
  return {.time = 1'795'000'000.0 + n,
          .id = fmt::format("req-{}", n),
          .key = "ann",
          .user = "\",\"hash\":\"u",
          .peer = "10.0.0.7",
          .endpoint = "/v1/chat/completions",
          .model = "m",
          .prompt_tokens = n,
          .completion_tokens = 2,
          .cached_tokens = 1,
          .seconds = 0.25,
          .status = 200,
          .prompt = fmt::format("question {}\n", n),
          .answer = "an \"answer\""};
}

class Audit : public ::testing::Test {
 protected:
  TempFolder folder;
  std::filesystem::path path = folder / "audit.jsonl";
  AuditOptions options;
  Clock clock = [] { return 1'795'000'000.0; };

  void append(int first, int last) {
    AuditLog log(path, options, clock);
    for (int n = first; n <= last; ++n) log.append(record(n));
  }
  std::string text() const { return read_text_file(path); }
  void write(const std::string& content) const { folder.file("audit.jsonl", content); }
};

TEST_F(Audit, ChainsRecordsOverSeveralSittings) {
  append(1, 3);
  append(4, 5);
  const AuditVerdict verdict = verify_audit_log(path);
  EXPECT_EQ(verdict.fault, "");
  EXPECT_EQ(verdict.records, 5);
  EXPECT_EQ(verdict.first, 1);
  EXPECT_EQ(verdict.last.number, 5);
  EXPECT_EQ(verdict.open_bytes, 0);
  EXPECT_EQ(AuditLog(path, options, clock).last().hash, verdict.last.hash);
  struct stat status {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600u);
}

TEST_F(Audit, HasHashesAndNoContent) {
  append(7, 7);
  const std::string line = text();
  EXPECT_EQ(line.find("question"), std::string::npos);
  EXPECT_EQ(line.find("answer\\\""), std::string::npos);
  EXPECT_NE(line.find(sha256_hex("question 7\n")), std::string::npos);
  EXPECT_NE(line.find(sha256_hex("an \"answer\"")), std::string::npos);
  EXPECT_NE(line.find(R"("time":"2026-11-18T)"), std::string::npos) << line;
  EXPECT_NE(line.find(R"("prompt_tokens":7,"completion_tokens":2,"cached_tokens":1)"),
            std::string::npos);
}

TEST_F(Audit, AHashIsAsGoodAsItsPrompt) {
  AuditRecord whole = record(1), hashed = record(1);
  whole.prompt = "\xff question";
  hashed.prompt_sha256 = content_sha256(whole.prompt);
  hashed.prompt = "";
  EXPECT_EQ(audit_line({}, hashed, false).line, audit_line({}, whole, false).line);
}

TEST_F(Audit, ContentCanBeTakenAwayButNotChanged) {
  options.content = true;
  append(1, 2);
  const std::string whole = text();
  EXPECT_EQ(verify_audit_log(path).fault, "");

  const size_t content = whole.find(R"(,"prompt":")");
  const size_t end = whole.find("}\n", content);
  ASSERT_NE(end, std::string::npos);
  write(whole.substr(0, content) + whole.substr(end));
  EXPECT_EQ(verify_audit_log(path).fault, "");
  EXPECT_EQ(verify_audit_log(path).records, 2);

  std::string changed = whole;
  changed[content + 12] ^= 1;
  write(changed);
  EXPECT_NE(verify_audit_log(path).fault.find("the prompt is not the one"), std::string::npos);

  write(whole.substr(0, end) + R"(,"status":500)" + whole.substr(end));
  EXPECT_NE(verify_audit_log(path).fault.find("behind the hash"), std::string::npos);
}

TEST_F(Audit, EveryChangedByteIsFound) {
  append(1, 3);
  const std::string whole = text();
  // In place: some file systems bring a file that is written anew to disk each time.
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  const auto set = [&](size_t offset, char byte) {
    file.seekp(static_cast<std::streamoff>(offset)).put(byte).flush();
  };
  int line = 1;
  for (size_t i = 0; i + 1 < whole.size(); ++i) {
    set(i, static_cast<char>(whole[i] ^ 4));
    const AuditVerdict verdict = verify_audit_log(path);
    const std::string place = fmt::format("audit.jsonl: line {}: ", line);
    ASSERT_NE(verdict.fault.find(place), std::string::npos) << i << ": " << verdict.fault;
    ASSERT_EQ(verdict.records, line - 1);
    set(i, whole[i]);
    if (whole[i] == '\n') ++line;
  }
  EXPECT_EQ(verify_audit_log(path).fault, "");
}

TEST_F(Audit, RecordsTakenOutPutInOrMovedAreFound) {
  append(1, 4);
  std::vector<std::string> lines;
  for (std::string rest = text(); !rest.empty(); rest.erase(0, rest.find('\n') + 1)) {
    lines.push_back(rest.substr(0, rest.find('\n') + 1));
  }
  ASSERT_EQ(lines.size(), 4u);
  write(lines[0] + lines[2] + lines[3]);
  EXPECT_NE(verify_audit_log(path).fault.find("line 2: expected record 2, found record 3"),
            std::string::npos);
  write(lines[0] + lines[1] + lines[1] + lines[2]);
  EXPECT_NE(verify_audit_log(path).fault.find("line 3"), std::string::npos);
  write(lines[0] + lines[2] + lines[1] + lines[3]);
  EXPECT_NE(verify_audit_log(path).fault.find("line 2"), std::string::npos);
  const AuditText other = audit_line({.number = 1, .hash = std::string(64, '1')}, record(2), false);
  write(lines[0] + other.line + "\n" + lines[2]);
  EXPECT_NE(verify_audit_log(path).fault.find("line 2: expected a record that follows"),
            std::string::npos);
  write(lines[2] + lines[3]);
  const AuditVerdict later = verify_audit_log(path);
  EXPECT_EQ(later.fault, "");
  EXPECT_EQ(later.first, 3) << "that a log does not begin at its beginning is told";
}

TEST_F(Audit, OtherFilesAreNotWhole) {
  for (const char* other : {"garbage garbage", "{}"}) {
    write(other);
    EXPECT_NE(verify_audit_log(path).fault.find("expected records"), std::string::npos) << other;
  }
}

TEST_F(Audit, ATornEndIsSetApart) {
  append(1, 2);
  const std::string whole = text();
  append(3, 3);
  const std::string third = text().substr(whole.size());
  for (const size_t kept : {size_t{1}, third.size() / 2, third.size() - 1}) {
    write(whole + third.substr(0, kept));
    EXPECT_EQ(verify_audit_log(path).open_bytes, static_cast<int64_t>(kept));
    append(4, 4);
    const AuditVerdict verdict = verify_audit_log(path);
    EXPECT_EQ(verdict.fault, "");
    EXPECT_EQ(verdict.records, 4) << "two, one that tells, and one that is new";
    EXPECT_NE(
        text().find(fmt::format(R"("event":"torn","file":"audit.jsonl.torn-3","bytes":{})", kept)),
        std::string::npos);
    EXPECT_EQ(read_text_file(folder / "audit.jsonl.torn-3"), third.substr(0, kept));
  }
}

TEST_F(Audit, ABrokenLastRecordIsNotBuiltOn) {
  append(1, 2);
  std::string changed = text();
  changed[changed.size() - 100] ^= 1;
  write(changed);
  EXPECT_NE(error_of([&] { append(3, 3); }).find("last line"), std::string::npos);
  write("no log\n");
  EXPECT_NE(error_of([&] { append(3, 3); }).find("expected a record"), std::string::npos);
  EXPECT_EQ(text(), "no log\n");
}

TEST_F(Audit, LargeFilesAreSetAside) {
  options.file_bytes = 2000;
  append(1, 9);
  append(10, 20);
  EXPECT_TRUE(std::filesystem::exists(folder / "audit.jsonl.000003"));
  EXPECT_LE(std::filesystem::file_size(folder / "audit.jsonl.000001"), 2000u);
  AuditVerdict verdict = verify_audit_log(path);
  EXPECT_EQ(verdict.fault, "");
  EXPECT_EQ(verdict.records, 20);

  // Stopped between setting a file aside and beginning the next one, and just behind that.
  std::vector<std::filesystem::path> aside;
  for (int n = 1; std::filesystem::exists(folder / fmt::format("audit.jsonl.{:06}", n)); ++n) {
    aside.push_back(folder / fmt::format("audit.jsonl.{:06}", n));
  }
  std::filesystem::rename(path, folder / fmt::format("audit.jsonl.{:06}", aside.size() + 1));
  EXPECT_EQ(verify_audit_log(path).records, 20);
  append(21, 21);
  EXPECT_EQ(verify_audit_log(path).records, 21);
  EXPECT_EQ(verify_audit_log(path).fault, "");

  std::filesystem::remove(aside[0]);
  verdict = verify_audit_log(path);
  EXPECT_EQ(verdict.fault, "");
  EXPECT_GT(verdict.first, 1);
  std::filesystem::remove(aside[2]);
  EXPECT_NE(verify_audit_log(path).fault.find("expected file 3 before it"), std::string::npos);
}

TEST_F(Audit, BelongsToOneProcess) {
  const AuditLog log(path, options, clock);
  EXPECT_NE(error_of([&] { AuditLog(path, options, clock); }).find("another process"),
            std::string::npos);
}

TEST_F(Audit, BytesThatAreNotUtf8AreReplacedBeforeTheyAreHashed) {
  options.content = true;
  AuditLog log(path, options, clock);
  AuditRecord bad = record(1);
  bad.prompt = "a\xff\xc3";
  bad.user = "\xff";
  log.append(bad);
  EXPECT_EQ(verify_audit_log(path).fault, "");
}

TEST_F(Audit, GoesOnBehindADiskThatWasFull) {
  AuditLog log(path, options, clock);
  log.append(record(1));
  rlimit old{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &old), 0);
  const auto previous = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit tight{.rlim_cur = std::filesystem::file_size(path) + 100, .rlim_max = old.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &tight), 0);
  const std::string error = error_of([&] { log.append(record(2)); });
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &old), 0);
  std::signal(SIGXFSZ, previous);
  EXPECT_NE(error.find("cannot write"), std::string::npos);
  log.append(record(3));
  const AuditVerdict verdict = verify_audit_log(path);
  EXPECT_EQ(verdict.fault, "");
  EXPECT_EQ(verdict.records, 2);
  EXPECT_EQ(verdict.open_bytes, 0);
}

// Lines of logs that were begun before records had the address of the client.
TEST_F(Audit, GoesOnBehindLinesWithoutAPeer) {
  std::string line =
      R"({"n":1,"prev":")" + std::string(64, '0') +
      R"(","time":"2026-11-22T13:02:03.125Z","event":"request","id":"","key":"ann","user":"",)"
      R"("endpoint":"/v1/chat/completions","model":"m","status":200)";
  line += R"(,"hash":")" + sha256_hex(line) + "\"}\n";
  write(line);
  ASSERT_EQ(::chmod(path.c_str(), 0600), 0);
  append(1, 1);
  const AuditVerdict verdict = verify_audit_log(path);
  EXPECT_EQ(verdict.fault, "");
  EXPECT_EQ(verdict.records, 2);
  EXPECT_NE(text().find(R"("peer":"10.0.0.7")"), std::string::npos);
}

TEST_F(Audit, TakesRecordsOfManyThreads) {
  options.file_bytes = 20000;
  {
    AuditLog log(path, options, clock);
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        for (int n = 0; n < 50; ++n) log.append(record(n));
      });
    }
    for (auto& thread : threads) thread.join();
  }
  EXPECT_EQ(verify_audit_log(path).fault, "");
  EXPECT_EQ(verify_audit_log(path).records, 200);
}

// Killed at any moment, what append() returned for is there, and the chain goes on.
TEST_F(Audit, OutlivesKills) {
  options.file_bytes = 20000;
  Rng rng(1);
  int64_t told = 0;
  for (int round = 0; round < 20; ++round) {
    int pipe[2];
    ASSERT_EQ(::pipe(pipe), 0);
    const auto microseconds = static_cast<int64_t>(rng.below(3000)) + round * 100;
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      AuditLog log(path, options, clock);
      for (int n = 0;; ++n) {
        log.append(record(n));
        const int64_t number = log.last().number;
        if (::write(pipe[1], &number, sizeof(number)) != sizeof(number)) ::_exit(1);
        if (n == 0) testing::be_killed_in(microseconds);
      }
    }
    ::close(pipe[1]);
    int64_t number = 0;
    while (::read(pipe[0], &number, sizeof(number)) == sizeof(number)) told = number;
    ::close(pipe[0]);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    const AuditVerdict verdict = verify_audit_log(path);
    ASSERT_EQ(verdict.fault, "");
    ASSERT_GE(verdict.last.number, told);
    ASSERT_EQ(verdict.records, verdict.last.number);
  }
  EXPECT_GE(told, 20);
}

TEST(AuditOptions, AreChecked) {
  const TempFolder folder;
  EXPECT_NE(error_of([&] { AuditLog(folder / "a", {.file_bytes = 0}); }), "");
  EXPECT_NE(error_of([&] { AuditLog(folder / "a", {.sync_seconds = -1}); }), "");
  EXPECT_NE(error_of([&] { AuditLog(folder / "no" / "a", {}); }).find("cannot open"),
            std::string::npos);
}

}  // namespace
}  // namespace minke
