// A store whose process is killed at random instants, again and again.

#include <csignal>
#include <map>
#include <set>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/wait.h>
#include <unistd.h>

#include "base/core/rng.h"
#include "base/core/test_folder.h"
#include "serve/access/batch_store.h"
#include "serve/access/kill_testing.h"

namespace minke {
namespace {

using Json = nlohmann::ordered_json;
using testing::TempFolder;

constexpr int kBatches = 2;
constexpr int kLines = 60;
constexpr int kMostRounds = 300;
constexpr const char* kUrl = "/v1/completions";

// What the process that is killed says, when it is sure of it.
struct Message {
  enum class Kind { kCreated, kHanded, kFinished, kIdle } kind;
  char batch[40];
  int64_t number;
};

Message message(Message::Kind kind, const std::string& batch = "", int64_t number = 0) {
  Message result{.kind = kind, .batch = {}, .number = number};
  batch.copy(result.batch, sizeof(result.batch) - 1);
  return result;
}

void tell(int pipe, const Message& what) {
  if (::write(pipe, &what, sizeof(what)) != sizeof(what)) ::_exit(1);
}

std::string input_lines() {
  std::string text;
  for (int i = 1; i <= kLines; ++i) {
    text += fmt::format(R"({{"custom_id":"{}","method":"POST","url":"{}","body":{{}}}})"
                        "\n",
                        i, kUrl);
  }
  return text;
}

// Makes what batches are missing, and answers lines, two in hand at a time, until it is killed.
void serve(const std::filesystem::path& folder, int64_t microseconds, int pipe) {
  // In one round of four, opening may be what is cut off.
  if (microseconds % 4 == 0) testing::be_killed_in(microseconds);
  BatchStore store(folder, {});
  if (microseconds % 4 != 0) testing::be_killed_in(microseconds);
  while (static_cast<int>(store.batches("ann", "", 100).items.size()) < kBatches) {
    const StoredFile file = store.add_file(
        {.owner = "ann", .purpose = "batch", .name = "in", .content = input_lines()});
    const StoredBatch batch = store.create_batch(
        {.owner = "ann", .input_file = file.id, .endpoint = kUrl, .metadata = {}});
    tell(pipe, message(Message::Kind::kCreated, batch.id));
  }
  std::optional<BatchLine> before;
  for (;;) {
    const auto line = store.next_line();
    if (line) tell(pipe, message(Message::Kind::kHanded, line->batch, line->number));
    if (before) {
      store.finish_line(*before, {.status = before->number % 3 == 0 ? 500 : 200,
                                  .request_id = "r",
                                  .body = fmt::format(R"({{"of":"{}"}})", before->custom_id)});
      tell(pipe, message(Message::Kind::kFinished, before->batch, before->number));
    }
    if (!line && !before) {
      tell(pipe, message(Message::Kind::kIdle));
      ::raise(SIGKILL);
    }
    before = line;
  }
}

// What was said in all rounds so far.
struct Heard {
  std::set<std::string> created;
  std::set<std::pair<std::string, int64_t>> finished;
  bool idle = false;

  void listen(const Message& said, const std::set<std::pair<std::string, int64_t>>& before) {
    if (said.kind == Message::Kind::kCreated) created.insert(said.batch);
    if (said.kind == Message::Kind::kFinished) finished.emplace(said.batch, said.number);
    if (said.kind == Message::Kind::kIdle) idle = true;
    if (said.kind == Message::Kind::kHanded) {
      EXPECT_FALSE(before.contains({said.batch, said.number})) << "handed out, but has an answer";
    }
  }
};

void run_and_kill(const std::filesystem::path& folder, int64_t microseconds, Heard& heard) {
  int pipe[2];
  ASSERT_EQ(::pipe(pipe), 0);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    try {
      serve(folder, microseconds, pipe[1]);
    } catch (const std::exception& error) {
      ::fprintf(stderr, "%s\n", error.what());
    }
    ::_exit(1);
  }
  ::close(pipe[1]);
  const auto before = heard.finished;
  Message said{};
  while (::read(pipe[0], &said, sizeof(said)) == sizeof(said)) heard.listen(said, before);
  ::close(pipe[0]);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << "it ended by itself";
}

std::map<std::string, Json> results(const BatchStore& store, const std::string& file) {
  std::map<std::string, Json> found;
  std::string text = store.file_content("ann", file, 0, 1 << 30).value_or("");
  for (; !text.empty(); text.erase(0, text.find('\n') + 1)) {
    const Json line = Json::parse(text.substr(0, text.find('\n')));
    EXPECT_TRUE(found.emplace(line["custom_id"], line).second) << "answered twice";
  }
  return found;
}

TEST(BatchStoreKill, NothingIsLostAndNothingIsThereTwice) {
  const TempFolder folder;
  const auto place = folder / "store";
  Rng rng(7);
  Heard heard;
  int rounds = 0;
  double microseconds = 400;
  for (; rounds < kMostRounds && !heard.idle; ++rounds) {
    // Longer from round to round, so that slow disks come to an end, too.
    run_and_kill(place, static_cast<int64_t>(rng.below(static_cast<uint64_t>(microseconds))),
                 heard);
    microseconds *= 1.05;
    if (HasFatalFailure() || HasNonfatalFailure()) return;
    const BatchStore store(place, {});
    for (const std::string& id : heard.created) ASSERT_TRUE(store.batch("ann", id).has_value());
  }
  ASSERT_TRUE(heard.idle) << "not done in " << rounds << " rounds";
  RecordProperty("rounds", rounds);
  EXPECT_GT(rounds, 10) << "hardly any kill came in time";

  const BatchStore store(place, {});
  const auto batches = store.batches("ann", "", 100).items;
  ASSERT_EQ(static_cast<int>(batches.size()), kBatches);
  for (const StoredBatch& batch : batches) {
    EXPECT_EQ(batch.status, BatchStatus::kCompleted);
    EXPECT_EQ(batch.completed, kLines - kLines / 3);
    EXPECT_EQ(batch.failed, kLines / 3);
    const auto good = results(store, batch.output_file);
    const auto bad = results(store, batch.error_file);
    EXPECT_EQ(static_cast<int>(good.size() + bad.size()), kLines);
    for (int i = 1; i <= kLines; ++i) {
      const std::string id = std::to_string(i);
      const auto& side = i % 3 == 0 ? bad : good;
      ASSERT_TRUE(side.contains(id)) << id;
      EXPECT_EQ(side.at(id)["response"]["body"]["of"], id);
    }
  }
}

}  // namespace
}  // namespace minke
