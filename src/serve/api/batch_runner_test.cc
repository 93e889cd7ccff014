#include "serve/api/batch_runner.h"

#include <atomic>
#include <mutex>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/core/test_folder.h"

namespace minke {
namespace {

using Json = nlohmann::json;
using testing::TempFolder;
using namespace std::chrono_literals;

constexpr auto kPatience = 30s;

HttpResponse response(int status, std::string body, HttpHeaders headers = {}) {
  HttpResponse response;
  response.status = status;
  response.headers = std::move(headers);
  response.body = std::move(body);
  return response;
}

class BatchRunnerTest : public ::testing::Test {
 protected:
  using Reply = std::shared_ptr<HttpReply>;
  TempFolder folder;
  BatchStore store{folder / "store", {}};
  std::mutex mutex;
  std::vector<std::pair<BatchLine, Reply>> asked;              // that the script has not answered
  std::function<bool(const BatchLine&, const Reply&)> script;  // true: has seen to the line
  std::function<bool(int64_t)> has_room = [](int64_t in_hand) { return in_hand < 4; };
  std::unique_ptr<BatchRunner> runner;

  void start() {
    BatchRunnerParts parts;
    parts.store = &store;
    parts.answer = [this](const BatchLine& line, Reply reply) {
      if (script && script(line, reply)) return;
      const std::lock_guard lock(mutex);
      asked.emplace_back(line, std::move(reply));
    };
    parts.has_room = has_room;
    parts.look_seconds = 0.05;
    parts.room_seconds = 0.001;
    runner = std::make_unique<BatchRunner>(std::move(parts));
  }
  std::string begin(int lines, const std::string& owner = "ann") {
    std::string text;
    for (int i = 0; i < lines; ++i) {
      text += fmt::format(R"({{"custom_id":"{}","method":"POST","url":"/v1/completions",)"
                          R"("body":{{"n":{}}}}})"
                          "\n",
                          i, i);
    }
    const auto file =
        store.add_file({.owner = owner, .purpose = "batch", .name = "in.jsonl", .content = text});
    return store
        .create_batch(
            {.owner = owner, .input_file = file.id, .endpoint = "/v1/completions", .metadata = {}})
        .id;
  }
  template <typename Condition>
  static bool comes_true(const Condition& condition) {
    for (const auto end = std::chrono::steady_clock::now() + kPatience;
         std::chrono::steady_clock::now() < end;) {
      if (condition()) return true;
      std::this_thread::sleep_for(1ms);
    }
    return false;
  }
  bool completes(const std::string& id, const std::string& owner = "ann") {
    return comes_true([&] { return store.batch(owner, id)->status == BatchStatus::kCompleted; });
  }
  size_t count_asked() {
    const std::lock_guard lock(mutex);
    return asked.size();
  }
  std::vector<Json> lines_of(const std::string& file) {
    std::vector<Json> lines;
    std::string text = *store.file_content("ann", file, 0, 1 << 20);
    for (; !text.empty(); text.erase(0, text.find('\n') + 1)) {
      lines.push_back(Json::parse(text.substr(0, text.find('\n'))));
    }
    return lines;
  }
};

TEST_F(BatchRunnerTest, AnswersEveryLineOnce) {
  std::atomic<int> answers = 0;
  script = [&](const BatchLine& line, const Reply& reply) {
    ++answers;
    const bool good = line.custom_id != "3";
    reply->send(response(good ? 200 : 422, line.body, {{"X-Request-Id", "req-" + line.custom_id}}));
    return true;
  };
  start();
  const std::string id = begin(20);
  runner->wake();
  ASSERT_TRUE(completes(id));
  EXPECT_EQ(answers, 20);
  const StoredBatch batch = *store.batch("ann", id);
  EXPECT_EQ(batch.completed, 19);
  EXPECT_EQ(batch.failed, 1);
  for (const Json& line : lines_of(batch.output_file)) {
    const std::string custom = line["custom_id"];
    EXPECT_EQ(line["response"]["body"]["n"], std::stoi(custom));
    EXPECT_EQ(line["response"]["request_id"], "req-" + custom);
  }
  EXPECT_EQ(lines_of(batch.error_file)[0]["response"]["status_code"], 422);
}

TEST_F(BatchRunnerTest, TakesAsManyLinesAsThereIsRoom) {
  start();
  const std::string id = begin(6);
  ASSERT_TRUE(comes_true([&] { return count_asked() == 4; }));
  std::this_thread::sleep_for(20ms);
  EXPECT_EQ(count_asked(), 4u);
  for (size_t sent = 0; sent < 6; ++sent) {
    ASSERT_TRUE(comes_true([&] { return count_asked() > sent; }));
    Reply reply;
    {
      const std::lock_guard lock(mutex);
      reply = std::exchange(asked[sent].second, nullptr);
    }
    reply->send(response(200, "{}"));
  }
  EXPECT_TRUE(completes(id));
}

TEST_F(BatchRunnerTest, ValidatesAndCancelsWithoutRoom) {
  has_room = [](int64_t) { return false; };
  start();
  const std::string id = begin(1);
  ASSERT_TRUE(
      comes_true([&] { return store.batch("ann", id)->status == BatchStatus::kInProgress; }));
  store.cancel("ann", id);
  EXPECT_TRUE(
      comes_true([&] { return store.batch("ann", id)->status == BatchStatus::kCancelled; }));
  EXPECT_EQ(count_asked(), 0u);
}

TEST_F(BatchRunnerTest, AsksAgainLaterWhenItIsTold) {
  std::atomic<int> refused = 0;
  script = [&](const BatchLine& line, const Reply& reply) {
    if (line.owner == "ann") {
      ++refused;
      reply->send(response(429, "{}", {{"Retry-After", "3600"}}));
    } else {
      reply->send(response(200, "{}"));
    }
    return true;
  };
  has_room = [](int64_t in_hand) { return in_hand < 1; };
  const std::string ann = begin(2);
  const std::string bob = begin(5, "bob");
  start();
  ASSERT_TRUE(completes(bob, "bob")) << "others do not wait";
  EXPECT_EQ(refused, 1);
  runner->stop();

  script = [&](const BatchLine&, const Reply& reply) {
    const bool good = ++refused > 2;
    reply->send(response(good ? 200 : 503, "{}", {{"Retry-After", "1"}}));
    return true;
  };
  start();
  ASSERT_TRUE(completes(ann));
  EXPECT_EQ(refused, 4);
  EXPECT_EQ(store.batch("ann", ann)->completed, 2);
  EXPECT_EQ(store.batch("ann", ann)->failed, 0);
}

TEST_F(BatchRunnerTest, RefusesStreamsAndStopsThem) {
  std::atomic<bool> gone = false;
  script = [&](const BatchLine& line, const Reply& reply) {
    if (line.custom_id == "0") {
      reply->on_gone([&] { gone = true; });
      reply->begin_stream(response(200, ""));
      reply->write("data: 1\n\n");
      reply->end();
    }
    return true;  // the other line's reply is dropped
  };
  start();
  const std::string id = begin(2);
  ASSERT_TRUE(completes(id));
  EXPECT_TRUE(gone);
  const auto lines = lines_of(store.batch("ann", id)->error_file);
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0]["response"]["status_code"], 400);
  EXPECT_EQ(lines[0]["response"]["body"]["error"]["param"], "stream");
  EXPECT_EQ(lines[1]["response"]["status_code"], 500);
}

TEST_F(BatchRunnerTest, GivesLinesBackWhenItStops) {
  std::atomic<int> cancelled = 0;
  script = [&](const BatchLine&, const Reply& reply) {
    reply->on_gone([&] { ++cancelled; });
    return false;
  };
  start();
  const std::string id = begin(3);
  ASSERT_TRUE(comes_true([&] { return count_asked() == 3; }));
  runner->stop();
  EXPECT_EQ(cancelled, 3);
  for (auto& [line, reply] : asked) reply->send(response(200, R"({"late":true})"));
  asked.clear();
  EXPECT_EQ(store.batch("ann", id)->completed, 0);

  script = [&](const BatchLine&, const Reply& reply) {
    reply->send(response(200, R"({"late":false})"));
    return true;
  };
  start();
  ASSERT_TRUE(completes(id));
  const auto lines = lines_of(store.batch("ann", id)->output_file);
  ASSERT_EQ(lines.size(), 3u);
  for (const Json& line : lines) EXPECT_EQ(line["response"]["body"]["late"], false);
}

}  // namespace
}  // namespace minke
