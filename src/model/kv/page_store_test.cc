#include "model/kv/page_store.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <thread>

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/core/test_folder.h"
#include "model/kv/kv_testing.h"
#include "model/kv/page_folder.h"

namespace minke {
namespace {

namespace fs = std::filesystem;

using testing::error_of;
using testing::has_row;
using testing::read_file;
using testing::row_value;
using testing::some_tokens;
using testing::TempFolder;
using testing::write_file;

using Ids = std::vector<int32_t>;

// A page has 24 KiB.
constexpr KvLayout kLayout{3, 8, DType::kF32};
constexpr int64_t kPlenty = int64_t{1} << 30;

// Tokens of the last page.
int64_t tokens_at_the_end(const Ids& tokens) {
  return (static_cast<int64_t>(tokens.size()) - 1) % kPageTokens + 1;
}

// The page that ends `tokens`.
std::shared_ptr<const KvPage> page_of(const Ids& tokens) {
  auto page = std::make_shared<KvPage>(kLayout.page_bytes());
  const int64_t count = tokens_at_the_end(tokens);
  const int64_t first = static_cast<int64_t>(tokens.size()) - count;
  for (int layer = 0; layer < kLayout.layers; ++layer) {
    for (int64_t i = 0; i < count; ++i) {
      testing::fill_row(page->data() + kLayout.offset_in_page(layer, i), kLayout.row_bytes(),
                        row_value(tokens, first + i, layer));
    }
  }
  return page;
}

bool is_page_of(const KvPage& page, const Ids& tokens) {
  const auto expected = page_of(tokens);
  const auto bytes = static_cast<size_t>(tokens_at_the_end(tokens) * kLayout.row_bytes());
  for (int layer = 0; layer < kLayout.layers; ++layer) {
    const int64_t at = kLayout.offset_in_page(layer, 0);
    if (std::memcmp(page.data() + at, expected->data() + at, bytes) != 0) return false;
  }
  return true;
}

PageStoreOptions in(const TempFolder& folder, int64_t budget = kPlenty) {
  return {folder / "pages", budget, "model-1/avx2", 1000, {}};
}

std::vector<fs::path> files_in(const TempFolder& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder / "pages")) files.push_back(entry.path());
  std::ranges::sort(files);
  return files;
}

int64_t bytes_in(const TempFolder& folder) {
  int64_t bytes = 0;
  for (const fs::path& file : files_in(folder)) bytes += static_cast<int64_t>(fs::file_size(file));
  return bytes;
}

void set_age(const fs::path& file, std::chrono::seconds age) {
  fs::last_write_time(file, fs::file_time_type::clock::now() - age);
}

class PageStoreTest : public ::testing::Test {
 protected:
  // Whether the store has the page that ends `tokens`; if it has, it must be the right one.
  bool has(PageStore& store, std::string_view owner, const Ids& tokens) {
    const auto page = store.get(owner, tokens, pool_);
    if (page == nullptr) return false;
    EXPECT_TRUE(is_page_of(*page, tokens));
    return true;
  }

  // The file that a store of its own writes for `tokens`.
  fs::path written(const Ids& tokens) {
    PageStore store(kLayout, in(folder_));
    store.put("me", tokens, page_of(tokens));
    store.flush();
    const auto files = files_in(folder_);
    EXPECT_EQ(files.size(), 1u);
    return files[0];
  }

  // Puts `content` in the place of the page of `tokens`: a miss, and the file is gone.
  void expect_removed(const fs::path& file, const Ids& tokens, const std::string& content) {
    write_file(file, content);
    PageStore store(kLayout, in(folder_));
    ASSERT_EQ(store.get("me", tokens, pool_), nullptr);
    ASSERT_FALSE(fs::exists(file));
    ASSERT_EQ(store.stats().broken, 1);
  }

  TempFolder folder_;
  KvPagePool pool_{kLayout, 4 * kLayout.page_bytes()};
};

TEST_F(PageStoreTest, PagesSurviveTheStore) {
  const Ids one = some_tokens(256, 1), two = some_tokens(512, 1), three = some_tokens(768, 2);
  {
    PageStore store(kLayout, in(folder_));
    EXPECT_FALSE(has(store, "me", one));
    for (const Ids& tokens : {one, two, three}) store.put("me", tokens, page_of(tokens));
  }
  EXPECT_EQ(files_in(folder_).size(), 3u);
  PageStore store(kLayout, in(folder_));
  for (const Ids& tokens : {one, two, three}) EXPECT_TRUE(has(store, "me", tokens));
  EXPECT_FALSE(has(store, "me", some_tokens(256, 2)));
  const PageStoreStats stats = store.stats();
  EXPECT_EQ(stats.hits, 3);
  EXPECT_EQ(stats.misses, 1);
  EXPECT_EQ(stats.broken, 0);
  EXPECT_EQ(pool_.pages_in_use(), 0);
}

TEST_F(PageStoreTest, OfAPageThatIsNotFullItsRowsAreKept) {
  const Ids whole = some_tokens(512, 1);
  const Ids part(whole.begin(), whole.begin() + 256 + 192),
      less(whole.begin(), whole.begin() + 320);
  {
    PageStore store(kLayout, in(folder_));
    // The page holds more than is put.
    store.put("me", part, page_of(whole));
    store.flush();
    const int64_t key = 8 + 16 + 24 + 12 + 2 + 4 * 448;
    EXPECT_EQ(bytes_in(folder_), key + kLayout.page_bytes() * 192 / 256 + 16);
    EXPECT_FALSE(has(store, "me", less));
    EXPECT_FALSE(has(store, "me", whole));
    store.put("me", less, page_of(less));
    store.put("me", whole, page_of(whole));
  }
  PageStore store(kLayout, in(folder_));
  for (const Ids& tokens : {part, less, whole}) EXPECT_TRUE(has(store, "me", tokens));
  EXPECT_EQ(store.stats().broken, 0);
}

TEST_F(PageStoreTest, TheFolderIsItsOwnersAlone) {
  written(some_tokens(256, 1));
  struct stat s {};
  ASSERT_EQ(::stat((folder_ / "pages").c_str(), &s), 0);
  EXPECT_EQ(s.st_mode & 077, 0u);
  folder_.file("file", "");
  const std::string file = (folder_ / "file").string();
  EXPECT_EQ(error_of([&] {
              PageStore(kLayout, {file, 1, "", 1, {}});
            }),
            file + ": expected a folder, found a file");
  EXPECT_NE(error_of([&] { PageStore(kLayout, {file + "/in", 1, "", 1, {}}); }), "");
}

TEST_F(PageStoreTest, EverythingThatRowsDependOnTellsPagesApart) {
  const Ids tokens = some_tokens(512, 1);
  written(tokens);
  PageStore store(kLayout, in(folder_));
  EXPECT_FALSE(has(store, "other", tokens));
  EXPECT_FALSE(has(store, "", tokens));
  EXPECT_FALSE(has(store, "me", some_tokens(256, 1)));
  for (const size_t changed : {0u, 255u, 256u, 511u}) {
    Ids other = tokens;
    ++other[changed];
    EXPECT_FALSE(has(store, "me", other));
  }
  auto options = in(folder_);
  options.fingerprint = "model-1/avx512";
  PageStore level(kLayout, options);
  EXPECT_FALSE(has(level, "me", tokens));
  // The border between two texts belongs to them.
  options.fingerprint = "model-1/avx2m";
  PageStore moved(kLayout, options);
  EXPECT_FALSE(has(moved, "e", tokens));
  const KvLayout halves{3, 16, DType::kBF16};
  KvPagePool pool(halves, halves.page_bytes());
  PageStore layout(halves, in(folder_));
  EXPECT_EQ(layout.get("me", tokens, pool), nullptr);
  EXPECT_TRUE(has(store, "me", tokens));
}

TEST_F(PageStoreTest, ATruncatedFileIsAMissAndGoes) {
  const Ids tokens = some_tokens(512, 1);
  const fs::path file = written(tokens);
  const std::string whole = read_file(file);
  ASSERT_GT(whole.size(), 24u << 10);
  for (size_t size = 0; size < whole.size(); size += 4096) {
    expect_removed(file, tokens, whole.substr(0, size));
  }
  expect_removed(file, tokens, whole.substr(0, whole.size() - 1));
  expect_removed(file, tokens, whole + '\0');
  write_file(file, whole);
  PageStore store(kLayout, in(folder_));
  EXPECT_TRUE(has(store, "me", tokens));
}

TEST_F(PageStoreTest, AFlippedBitIsAMissAndTheFileGoes) {
  const Ids tokens = some_tokens(256, 1);
  const fs::path file = written(tokens);
  const std::string whole = read_file(file);
  // Every byte before and behind the page, and some of it.
  const size_t page = static_cast<size_t>(kLayout.page_bytes());
  const size_t before = whole.size() - page - 16;
  for (size_t at = 0; at < whole.size(); at += at < before || at >= before + page ? 1 : 977) {
    std::string broken = whole;
    broken[at] = static_cast<char>(broken[at] ^ (1 << at % 8));
    expect_removed(file, tokens, broken);
    if (HasFatalFailure()) return;
  }
}

TEST_F(PageStoreTest, AnotherPageUnderTheNameIsAMiss) {
  const Ids tokens = some_tokens(256, 1), others = some_tokens(256, 2);
  const fs::path file = written(tokens);
  const std::string first = read_file(file);
  fs::remove(file);
  const std::string second = read_file(written(others));
  fs::remove_all(folder_ / "pages");
  fs::create_directory(folder_ / "pages");
  expect_removed(file, tokens, second);
  // Its page in the right frame: the checksum is of the page under this name.
  const size_t page = static_cast<size_t>(kLayout.page_bytes()) + 16;
  expect_removed(file, tokens,
                 first.substr(0, first.size() - page) + second.substr(second.size() - page));
  fs::create_directory(file);
  PageStore store(kLayout, in(folder_));
  EXPECT_EQ(store.get("me", tokens, pool_), nullptr);
}

TEST_F(PageStoreTest, WithoutAPageToReadIntoTheFileStays) {
  const Ids tokens = some_tokens(256, 1);
  const fs::path file = written(tokens);
  PageStore store(kLayout, in(folder_));
  KvPagePool empty(kLayout, 0);
  EXPECT_EQ(store.get("me", tokens, empty), nullptr);
  EXPECT_TRUE(fs::exists(file));
  EXPECT_TRUE(has(store, "me", tokens));
}

TEST_F(PageStoreTest, TheOldestByLastUseGoesFirst) {
  const int64_t one = static_cast<int64_t>(fs::file_size(written(some_tokens(256, 1))));
  for (const fs::path& file : files_in(folder_)) fs::remove(file);
  const int64_t budget = 4 * one + one / 2;
  PageStore store(kLayout, in(folder_, budget));
  for (int i = 0; i < 4; ++i) {
    const auto before = files_in(folder_);
    store.put("me", some_tokens(256, i), page_of(some_tokens(256, i)));
    store.flush();
    for (const fs::path& file : files_in(folder_)) {
      if (!std::ranges::count(before, file)) set_age(file, std::chrono::seconds(1000 - i));
    }
  }
  EXPECT_TRUE(has(store, "me", some_tokens(256, 0)));
  store.put("me", some_tokens(256, 4), page_of(some_tokens(256, 4)));
  store.flush();
  EXPECT_LE(bytes_in(folder_), budget);
  EXPECT_TRUE(has(store, "me", some_tokens(256, 0)));
  EXPECT_TRUE(has(store, "me", some_tokens(256, 4)));
  EXPECT_FALSE(has(store, "me", some_tokens(256, 1)));
  EXPECT_TRUE(has(store, "me", some_tokens(256, 3)));
}

TEST_F(PageStoreTest, TheBudgetHolds) {
  const int64_t budget = 130'000;
  folder_.file("other", "");
  fs::create_directory(folder_ / "pages");
  const fs::path foreign = folder_ / "pages/notes.page";
  write_file(foreign, "not a page of the store");
  const int64_t others = bytes_in(folder_);
  PageStore store(kLayout, in(folder_, budget));
  for (int i = 0; i < 16; ++i) {
    const Ids tokens = some_tokens(256 * (1 + i % 3), i);
    store.put("me", tokens, page_of(tokens));
    store.flush();
    ASSERT_LE(bytes_in(folder_) - others, budget);
    ASSERT_TRUE(has(store, "me", tokens));
  }
  EXPECT_GT(bytes_in(folder_), budget / 2);
  EXPECT_TRUE(fs::exists(foreign));
  EXPECT_EQ(store.stats().written, 16);

  PageStore tiny(kLayout, in(folder_, 1000));
  tiny.put("me", some_tokens(256, 99), page_of(some_tokens(256, 99)));
  tiny.flush();
  EXPECT_EQ(tiny.stats().dropped, 1);
}

TEST_F(PageStoreTest, TwoStoresShareAFolder) {
  const int64_t budget = 500'000;
  std::vector<std::thread> threads;
  for (int s = 0; s < 2; ++s) {
    threads.emplace_back([this, s] {
      KvPagePool pool(kLayout, 4 * kLayout.page_bytes());
      PageStore store(kLayout, in(folder_, budget));
      for (int i = 0; i < 30; ++i) {
        const Ids mine = some_tokens(256, i), theirs = some_tokens(256, (i * 7 + s) % 30);
        store.put("me", mine, page_of(mine));
        if (i % 10 == 0) store.flush();
        const auto page = store.get("me", theirs, pool);
        if (page != nullptr && !is_page_of(*page, theirs)) std::abort();
      }
      if (store.stats().broken != 0) std::abort();
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(bytes_in(folder_), budget + 2 * budget / PageFolder::kParts);
  PageStore store(kLayout, in(folder_, budget));
  int found = 0;
  for (int i = 0; i < 30; ++i) found += has(store, "me", some_tokens(256, i));
  EXPECT_GT(found, 8);
  EXPECT_EQ(store.stats().broken, 0);
}

TEST_F(PageStoreTest, WhatDoesNotFitIntoTheQueueIsDropped) {
  auto options = in(folder_);
  options.queue = 0;
  PageStore store(kLayout, options);
  const Ids tokens = some_tokens(256, 1);
  for (int i = 0; i < 5; ++i) store.put("me", tokens, page_of(tokens));
  store.flush();
  EXPECT_EQ(store.stats().dropped, 5);
  EXPECT_TRUE(files_in(folder_).empty());
}

TEST_F(PageStoreTest, TemporariesThatNobodyWritesGo) {
  const fs::path file = written(some_tokens(256, 1));
  const fs::path old = file.string() + ".00beef.tmp", fresh = file.string() + ".00cafe.tmp";
  const fs::path foreign = folder_ / "pages/mine.tmp";
  for (const fs::path& path : {old, fresh, foreign}) write_file(path, "half a page");
  for (const fs::path& path : {old, foreign}) {
    set_age(path, std::chrono::seconds(PageFolder::kStaleSeconds + 100));
  }
  PageStore store(kLayout, in(folder_));
  store.put("me", some_tokens(256, 2), page_of(some_tokens(256, 2)));
  store.flush();
  EXPECT_FALSE(fs::exists(old));
  EXPECT_TRUE(fs::exists(fresh));
  EXPECT_TRUE(fs::exists(foreign));
  EXPECT_TRUE(fs::exists(file));
}

// Writes pages until it is killed.
[[noreturn]] void write_for_ever(const PageStoreOptions& options) {
  PageStore store(kLayout, options);
  for (int i = 0;; i = (i + 1) % 200) {
    store.put("me", some_tokens(256, i), page_of(some_tokens(256, i)));
    if (i % 4 == 0) store.flush();
  }
}

TEST_F(PageStoreTest, AWriterThatIsKilledLeavesWholePages) {
  const int64_t budget = 3'000'000;
  int found = 0;
  for (int round = 0; round < 4; ++round) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) write_for_ever(in(folder_, budget));
    // Not before it writes.
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while ((!fs::exists(folder_ / "pages") || fs::is_empty(folder_ / "pages")) &&
           std::chrono::steady_clock::now() < give_up) {
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20 * round + 5));
    ASSERT_EQ(::kill(child, SIGKILL), 0);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status));

    PageStore store(kLayout, in(folder_, budget));
    for (int i = 0; i < 200; ++i) found += has(store, "me", some_tokens(256, i));
    EXPECT_EQ(store.stats().broken, 0);
  }
  EXPECT_GT(found, 0);
  for (const fs::path& file : files_in(folder_)) set_age(file, std::chrono::seconds(100'000));
  PageStore store(kLayout, in(folder_, budget));
  store.put("me", some_tokens(512, 1), page_of(some_tokens(512, 1)));
  store.flush();
  for (const fs::path& file : files_in(folder_)) EXPECT_EQ(file.extension(), ".page");
}

}  // namespace
}  // namespace minke
