#include "serve/access/batch_store.h"

#include <map>
#include <set>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>

#include "base/core/test_folder.h"

namespace minke {
namespace {

using Json = nlohmann::ordered_json;
using testing::error_of;
using testing::TempFolder;

constexpr const char* kUrl = "/v1/chat/completions";

std::string input_lines(int count) {
  std::string text;
  for (int i = 0; i < count; ++i) {
    text += fmt::format(R"({{"custom_id":"id-{}","method":"POST","url":"{}","body":{{"n":{}}}}})"
                        "\n",
                        i, kUrl, i);
  }
  return text;
}

class BatchStoreTest : public ::testing::Test {
 protected:
  TempFolder folder;
  double now = 1'795'000'000;
  BatchStoreOptions options;
  std::unique_ptr<BatchStore> store;

  void SetUp() override { open(); }
  void open() {
    store.reset();
    store = std::make_unique<BatchStore>(folder / "store", options, [this] { return now; });
  }
  StoredFile upload(const std::string& content, const std::string& owner = "ann") {
    return store->add_file(
        {.owner = owner, .purpose = "batch", .name = "in.jsonl", .content = content});
  }
  StoredBatch begin(int lines, const std::string& owner = "ann") {
    return store->create_batch({.owner = owner,
                                .input_file = upload(input_lines(lines), owner).id,
                                .endpoint = kUrl,
                                .window = "24h",
                                .metadata = {}});
  }
  StoredBatch get(const StoredBatch& batch) { return *store->batch(batch.owner, batch.id); }
  // The lines of a file, by custom_id.
  std::map<std::string, Json> results(const std::string& file) {
    std::map<std::string, Json> found;
    if (file.empty()) return found;
    std::string text = *store->file_content("ann", file, 0, 1 << 30);
    for (; !text.empty(); text.erase(0, text.find('\n') + 1)) {
      const Json line = Json::parse(text.substr(0, text.find('\n')));
      EXPECT_TRUE(found.emplace(line["custom_id"], line).second) << "answered twice";
    }
    return found;
  }
};

TEST_F(BatchStoreTest, AnswersABatch) {
  const StoredBatch created = begin(3);
  EXPECT_EQ(created.status, BatchStatus::kValidating);
  for (int i = 0; i < 3; ++i) {
    const auto line = store->next_line();
    ASSERT_TRUE(line.has_value());
    EXPECT_EQ(line->batch, created.id);
    EXPECT_EQ(line->number, i + 1);
    EXPECT_EQ(line->owner, "ann");
    EXPECT_EQ(line->url, kUrl);
    EXPECT_EQ(line->body, fmt::format(R"({{"n":{}}})", i));
    now += 10;
    EXPECT_TRUE(store->finish_line(*line, {.status = i == 1 ? 400 : 200,
                                           .request_id = "req\"1",
                                           .body = "{\n  \"a\": \"b \\n c\",\n \"i\": 1.50}"}));
  }
  EXPECT_EQ(get(created).status, BatchStatus::kFinalizing);
  EXPECT_FALSE(store->next_line().has_value());
  const StoredBatch done = get(created);
  EXPECT_EQ(done.status, BatchStatus::kCompleted);
  EXPECT_EQ(done.total, 3);
  EXPECT_EQ(done.completed, 2);
  EXPECT_EQ(done.failed, 1);
  const auto good = results(done.output_file);
  ASSERT_EQ(good.size(), 2u);
  EXPECT_EQ(good.at("id-0").dump(),
            R"({"id":"batch_req_)" + done.id.substr(6) +
                R"(_1","custom_id":"id-0","response":{"status_code":200,"request_id":"req\"1",)"
                R"("body":{"a":"b \n c","i":1.5}},"error":null})");
  const auto bad = results(done.error_file);
  ASSERT_EQ(bad.size(), 1u);
  EXPECT_EQ(bad.at("id-1")["response"]["status_code"], 400);

  const Json json = to_json(done);
  EXPECT_EQ(json["object"], "batch");
  EXPECT_EQ(json["status"], "completed");
  EXPECT_EQ(json["created_at"], 1'795'000'000);
  EXPECT_EQ(json["completed_at"], 1'795'000'030);
  EXPECT_EQ(json["expires_at"], 1'795'086'400);
  EXPECT_TRUE(json["cancelled_at"].is_null());
  EXPECT_TRUE(json["errors"].is_null());
  EXPECT_EQ(json["request_counts"].dump(), R"({"total":3,"completed":2,"failed":1})");
  const auto output = store->file("ann", done.output_file);
  EXPECT_EQ(to_json(*output)["purpose"], "batch_output");
  EXPECT_EQ(output->bytes,
            static_cast<int64_t>(store->file_content("ann", done.output_file, 0, 1 << 20)->size()));
}

TEST_F(BatchStoreTest, ABadFileFailsWithItsLines) {
  const StoredFile file = upload(input_lines(1) + "{}\n" + input_lines(1));
  const StoredBatch batch = store->create_batch(
      {.owner = "ann", .input_file = file.id, .endpoint = kUrl, .metadata = {}});
  EXPECT_NE(error_of([&] { store->remove_file("ann", file.id); }), "");
  EXPECT_FALSE(store->next_line().has_value());
  const StoredBatch failed = get(batch);
  EXPECT_EQ(failed.status, BatchStatus::kFailed);
  ASSERT_EQ(failed.faults.size(), 5u);
  EXPECT_EQ(failed.faults[0].line, 2);
  EXPECT_EQ(failed.faults[4].line, 3);
  EXPECT_EQ(failed.faults[4].code, "duplicate_custom_id");
  const Json errors = to_json(failed)["errors"];
  EXPECT_EQ(errors["object"], "list");
  EXPECT_EQ(errors["data"][4]["line"], 3);
  EXPECT_EQ(errors["data"][4]["param"], "custom_id");
  EXPECT_TRUE(store->remove_file("ann", file.id));
}

TEST_F(BatchStoreTest, LinesInHandAreHandedOutAgainAfterARestart) {
  const StoredBatch batch = begin(3);
  const auto one = store->next_line();
  const auto two = store->next_line();
  EXPECT_EQ(two->number, 2);
  EXPECT_TRUE(store->finish_line(*two, {.request_id = "", .body = "{}"}));
  open();
  EXPECT_EQ(store->next_line()->number, 1);
  EXPECT_EQ(store->next_line()->number, 3);
  EXPECT_FALSE(store->next_line().has_value());
  EXPECT_TRUE(store->finish_line(*one, {.request_id = "first", .body = "{}"}));
  EXPECT_FALSE(store->finish_line(*one, {.request_id = "second", .body = "{}"}));
  EXPECT_EQ(get(batch).completed, 2);
}

TEST_F(BatchStoreTest, LinesGivenBackComeAgain) {
  begin(2);
  const auto one = store->next_line();
  store->give_back(*one);
  EXPECT_EQ(store->next_line()->number, 1);
  const auto two = store->next_line();
  EXPECT_NE(error_of([&] { store->finish_line(*two, {.request_id = "", .body = "{"}); }), "");
  EXPECT_FALSE(store->next_line().has_value()) << "still in hand";
}

TEST_F(BatchStoreTest, BatchesTakeTurns) {
  const StoredBatch first = begin(5, "ann");
  const StoredBatch second = begin(5, "bob");
  std::vector<std::string> owners;
  for (int i = 0; i < 4; ++i) owners.push_back(store->next_line()->owner);
  EXPECT_EQ(owners, (std::vector<std::string>{"ann", "bob", "ann", "bob"}));
}

TEST_F(BatchStoreTest, HandsOutTheLinesOfThoseWhoAreWanted) {
  begin(1, "ann");
  begin(1, "bob");
  const auto wants = [](const std::string& owner) { return owner == "bob"; };
  EXPECT_EQ(store->next_line(wants)->owner, "bob");
  EXPECT_FALSE(store->next_line(wants).has_value());
  EXPECT_EQ(store->next_line()->owner, "ann");
}

TEST_F(BatchStoreTest, CancelledBatchesKeepWhatIsDone) {
  const StoredBatch batch = begin(4);
  const auto one = store->next_line();
  const auto two = store->next_line();
  const auto three = store->next_line();
  store->finish_line(*one, {.request_id = "", .body = "{}"});
  EXPECT_EQ(store->cancel("ann", batch.id)->status, BatchStatus::kCancelling);
  EXPECT_EQ(store->cancel("ann", batch.id)->status, BatchStatus::kCancelling);
  EXPECT_FALSE(store->next_line().has_value());
  EXPECT_EQ(get(batch).status, BatchStatus::kCancelling) << "two lines are in hand";
  EXPECT_TRUE(store->finish_line(*two, {.request_id = "", .body = "{}"}));
  store->give_back(*three);
  EXPECT_FALSE(store->next_line().has_value());
  const StoredBatch ended = get(batch);
  EXPECT_EQ(ended.status, BatchStatus::kCancelled);
  EXPECT_EQ(results(ended.output_file).size(), 2u);
  const auto errors = results(ended.error_file);
  ASSERT_EQ(errors.size(), 2u);
  EXPECT_EQ(errors.at("id-3")["error"]["code"], "batch_cancelled");
  EXPECT_TRUE(errors.at("id-3")["response"].is_null());
  EXPECT_FALSE(store->finish_line(*three, {.request_id = "", .body = "{}"}));
  EXPECT_NE(error_of([&] { store->cancel("ann", batch.id); }).find("it is cancelled"),
            std::string::npos);
}

TEST_F(BatchStoreTest, ABatchMayBeCancelledBeforeItIsValidated) {
  const StoredBatch batch = begin(2);
  store->cancel("ann", batch.id);
  EXPECT_FALSE(store->next_line().has_value());
  const StoredBatch ended = get(batch);
  EXPECT_EQ(ended.status, BatchStatus::kCancelled);
  EXPECT_EQ(ended.output_file + ended.error_file, "");
}

TEST_F(BatchStoreTest, WindowsPass) {
  const StoredBatch batch = begin(3);
  const auto one = store->next_line();
  now += 24 * 3600;
  EXPECT_FALSE(store->next_line().has_value());
  EXPECT_EQ(get(batch).status, BatchStatus::kInProgress) << "a line is in hand";
  store->finish_line(*one, {.request_id = "", .body = "{}"});
  EXPECT_FALSE(store->next_line().has_value());
  const StoredBatch ended = get(batch);
  EXPECT_EQ(ended.status, BatchStatus::kExpired);
  EXPECT_EQ(results(ended.output_file).size(), 1u);
  EXPECT_EQ(results(ended.error_file).at("id-2")["error"]["code"], "batch_expired");
}

TEST_F(BatchStoreTest, OwnersSeeNothingOfEachOther) {
  const StoredBatch batch = begin(1, "ann");
  EXPECT_FALSE(store->file("bob", batch.input_file).has_value());
  EXPECT_FALSE(store->file_content("bob", batch.input_file, 0, 10).has_value());
  EXPECT_FALSE(store->remove_file("bob", batch.input_file));
  EXPECT_FALSE(store->batch("bob", batch.id).has_value());
  EXPECT_FALSE(store->cancel("bob", batch.id).has_value());
  EXPECT_TRUE(store->files("bob", "", "", 10, false).items.empty());
  EXPECT_TRUE(store->batches("bob", "", 10).items.empty());
  EXPECT_NE(error_of([&] { store->batches("bob", batch.id, 10); }), "");
  EXPECT_NE(error_of([&] { store->files("bob", "", batch.input_file, 10, false); }), "");
  EXPECT_NE(
      error_of([&] {
        store->create_batch(
            {.owner = "bob", .input_file = batch.input_file, .endpoint = kUrl, .metadata = {}});
      }).find("there is no file"),
      std::string::npos);
}

TEST_F(BatchStoreTest, ListsComeInPages) {
  std::vector<std::string> ids;
  for (int i = 0; i < 5; ++i) ids.push_back(begin(1).id);
  auto page = store->batches("ann", "", 2);
  EXPECT_TRUE(page.more);
  EXPECT_EQ(page.items[0].id, ids[4]);
  page = store->batches("ann", page.items[1].id, 3);
  EXPECT_FALSE(page.more);
  ASSERT_EQ(page.items.size(), 3u);
  EXPECT_EQ(page.items[2].id, ids[0]);

  auto files = store->files("ann", "batch", "", 4, true);
  EXPECT_TRUE(files.more);
  EXPECT_EQ(files.items[0].id, page.items[2].input_file);
  files = store->files("ann", "batch", files.items[3].id, 4, true);
  EXPECT_FALSE(files.more);
  EXPECT_EQ(files.items.size(), 1u);
  EXPECT_EQ(store->files("ann", "", "", 1, false).items[0].id, files.items[0].id);
  EXPECT_TRUE(store->files("ann", "user_data", "", 4, true).items.empty());
  EXPECT_NE(error_of([&] { store->batches("ann", "", 0); }), "");
  EXPECT_NE(error_of([&] { store->batches("ann", "", 101); }), "");
  EXPECT_NE(error_of([&] { store->files("ann", "", "", 10001, true); }), "");
}

TEST_F(BatchStoreTest, FilesOfManyPiecesAreReadFromAnywhere) {
  std::string content;
  for (int i = 0; content.size() < (5 << 20) / 2; ++i) content += fmt::format("{} ", i);
  const StoredFile file = upload(content);
  open();
  EXPECT_EQ(store->file("ann", file.id)->bytes, static_cast<int64_t>(content.size()));
  for (const int64_t offset : {0, 1, (1 << 20) - 1, 1 << 20, (2 << 20) + 5}) {
    for (const int64_t most : {0, 1, 1000, 3 << 20}) {
      EXPECT_EQ(*store->file_content("ann", file.id, offset, most),
                content.substr(static_cast<size_t>(offset), static_cast<size_t>(most)));
    }
  }
  EXPECT_EQ(*store->file_content("ann", file.id, 1 << 30, 5), "");
  EXPECT_TRUE(store->remove_file("ann", file.id));
  EXPECT_FALSE(store->remove_file("ann", file.id));
  EXPECT_FALSE(store->file("ann", file.id).has_value());
}

TEST_F(BatchStoreTest, RequestsAreChecked) {
  const auto file_error = [&](const std::string& purpose, const std::string& name,
                              const std::string& content) {
    return error_of([&] {
      store->add_file({.owner = "ann", .purpose = purpose, .name = name, .content = content});
    });
  };
  EXPECT_NE(file_error("batch_output", "a", "x").find("purpose"), std::string::npos);
  EXPECT_NE(file_error("batch", "", "x").find("filename"), std::string::npos);
  EXPECT_NE(file_error("batch", "a\nb", "x").find("filename"), std::string::npos);
  EXPECT_NE(file_error("batch", "\xff", "x").find("filename"), std::string::npos);
  EXPECT_NE(file_error("batch", std::string(256, 'a'), "x").find("filename"), std::string::npos);
  EXPECT_NE(file_error("batch", "a", "").find("file: expected 1"), std::string::npos);

  const std::string input = upload(input_lines(1)).id;
  NewBatch good{.owner = "ann", .input_file = input, .endpoint = kUrl, .metadata = {{"a", "b"}}};
  const auto error = [&](const NewBatch& batch) {
    return error_of([&] { store->create_batch(batch); });
  };
  EXPECT_EQ(error(good), "");
  EXPECT_EQ(to_json(store->batches("ann", "", 1).items[0])["metadata"].dump(), R"({"a":"b"})");
  NewBatch bad = good;
  bad.endpoint = "/v1/files";
  EXPECT_NE(error(bad).find("endpoint"), std::string::npos);
  for (const char* window : {"", "24", "0h", "169h", "-1h", "1d", "1hh", "99999999999999999999h"}) {
    bad = good;
    bad.window = window;
    EXPECT_NE(error(bad).find("completion_window"), std::string::npos) << window;
  }
  bad = good;
  bad.metadata.assign(17, {"a", "b"});
  EXPECT_NE(error(bad).find("metadata"), std::string::npos);
  bad.metadata = {{std::string(65, 'a'), "b"}};
  EXPECT_NE(error(bad).find("metadata"), std::string::npos);
  bad.metadata = {{"a", "\xff"}};
  EXPECT_NE(error(bad).find("metadata"), std::string::npos);
  bad = good;
  bad.input_file =
      store->add_file({.owner = "ann", .purpose = "user_data", .name = "a", .content = "x"}).id;
  EXPECT_NE(error(bad).find("input_file_id"), std::string::npos);
}

TEST_F(BatchStoreTest, IsBounded) {
  options.file_bytes = 1000;
  options.total_bytes = 1500;
  options.files_per_owner = 3;
  options.open_batches_per_owner = 2;
  options.batches_per_owner = 3;
  open();
  EXPECT_NE(error_of([&] { upload(std::string(1001, 'a')); }), "");
  upload(std::string(1000, 'a'));
  EXPECT_THROW(upload(std::string(501, 'a'), "bob"), BatchStore::Full);
  const std::string input = upload(input_lines(1)).id;
  upload("x");
  EXPECT_THROW(upload("x"), BatchStore::Full);
  upload("x", "bob");

  std::vector<std::string> ids;
  const auto create = [&] {
    ids.push_back(
        store->create_batch({.owner = "ann", .input_file = input, .endpoint = kUrl, .metadata = {}})
            .id);
  };
  create();
  create();
  EXPECT_THROW(create(), BatchStore::Full);
  for (int i = 0; i < 3; ++i) {
    const auto line = store->next_line();
    if (line) store->finish_line(*line, {.request_id = "", .body = "{}"});
  }
  create();
  create();
  const auto kept = store->batches("ann", "", 10);
  ASSERT_EQ(kept.items.size(), 3u);
  EXPECT_EQ(kept.items[2].id, ids[1]) << "the oldest that had ended is forgotten";
}

TEST_F(BatchStoreTest, IsPrivateAndBelongsToOneProcess) {
  EXPECT_NE(error_of([&] { BatchStore(folder / "store", options); }).find("another process"),
            std::string::npos);
  struct stat status {};
  ASSERT_EQ(::stat((folder / "store").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0700u);
  folder.file("file", "x");
  EXPECT_NE(error_of([&] { BatchStore(folder / "file", options); }).find("expected a folder"),
            std::string::npos);
}

}  // namespace
}  // namespace minke
