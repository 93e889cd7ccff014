// Disks that are full and folders that are gone, for a while.
#include <chrono>
#include <filesystem>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "base/core/test_folder.h"
#include "model/kv/kv_testing.h"
#include "model/kv/page_store.h"

namespace minke {
namespace {

namespace fs = std::filesystem;

using testing::some_tokens;

// A page has 24 KiB.
constexpr KvLayout kLayout{3, 8, DType::kF32};
constexpr int64_t kTooFewBytes = 10'000;

class PageStoreTroubleTest : public ::testing::Test {
 protected:
  PageStoreOptions options(double retry_seconds) {
    PageStoreOptions options;
    options.folder = folder_ / "pages";
    options.budget = int64_t{1} << 30;
    options.fingerprint = "model-1/avx2";
    options.warn = [this](const std::string& what) { warnings_.push_back(what); };
    options.retry_seconds = retry_seconds;
    return options;
  }

  // Whether the page of the sequence `seed` is in the store after it was put.
  bool put(PageStore& store, int seed) {
    const std::vector<int32_t> tokens = some_tokens(kPageTokens, seed);
    auto page = std::make_shared<KvPage>(kLayout.page_bytes());
    store.put("me", tokens, std::move(page));
    store.flush();
    return has(store, seed);
  }

  bool has(PageStore& store, int seed) {
    return store.get("me", some_tokens(kPageTokens, seed), pool_) != nullptr;
  }

  testing::TempFolder folder_;
  KvPagePool pool_{kLayout, 4 * kLayout.page_bytes()};
  std::vector<std::string> warnings_;
};

TEST_F(PageStoreTroubleTest, AFullDiskIsToldOnceAndLeftAloneForAWhile) {
  PageStore store(kLayout, options(3600));
  EXPECT_TRUE(put(store, 1));
  {
    const testing::FileSizeLimit limit(kTooFewBytes);
    for (int i = 0; i < 4; ++i) EXPECT_FALSE(put(store, 2));
  }
  EXPECT_FALSE(put(store, 2));
  ASSERT_EQ(warnings_.size(), 1u);
  EXPECT_NE(warnings_[0].find("cannot write"), std::string::npos) << warnings_[0];
  EXPECT_TRUE(has(store, 1));
  EXPECT_EQ(store.stats().dropped, 5);
  EXPECT_EQ(store.stats().written, 1);
}

TEST_F(PageStoreTroubleTest, WritesAgainWhenThereIsRoomAndTellsTheNextTrouble) {
  PageStore store(kLayout, options(0));
  for (int trouble = 1; trouble <= 2; ++trouble) {
    {
      const testing::FileSizeLimit limit(kTooFewBytes);
      for (int i = 0; i < 3; ++i) EXPECT_FALSE(put(store, trouble));
    }
    EXPECT_EQ(warnings_.size(), static_cast<size_t>(trouble));
    EXPECT_TRUE(put(store, trouble));
  }
  EXPECT_EQ(store.stats().written, 2);
  EXPECT_EQ(store.stats().dropped, 6);
}

TEST_F(PageStoreTroubleTest, WritesAgainIntoAFolderThatWasGone) {
  constexpr double kRetrySeconds = 0.2;
  PageStore store(kLayout, options(kRetrySeconds));
  fs::remove_all(folder_ / "pages");
  EXPECT_FALSE(put(store, 1));
  fs::create_directory(folder_ / "pages");
  std::this_thread::sleep_for(std::chrono::duration<double>(kRetrySeconds));
  EXPECT_TRUE(put(store, 1));
  EXPECT_EQ(warnings_.size(), 1u);
}

TEST_F(PageStoreTroubleTest, ADiskThatHangsHoldsNoPageThatNobodyUses) {
  constexpr int64_t kPages = 4;
  std::promise<void> go_on;
  PageStoreOptions hanging = options(0);
  hanging.warn = [going_on = go_on.get_future().share()](const std::string&) { going_on.wait(); };
  PageStore store(kLayout, hanging);
  EXPECT_FALSE(store.let_go());
  fs::remove_all(folder_ / "pages");
  std::vector<std::shared_ptr<const KvPage>> remembered;
  for (int i = 0; i < kPages; ++i) {
    remembered.push_back(pool_.take());
    store.put("me", some_tokens(kPageTokens, i), remembered.back());
  }
  // Two parts of the last page wait; the first page but one is used.
  store.put("me", some_tokens(kStoredTokens, kPages), remembered.back());
  const auto user = remembered[1];
  while (store.let_go()) {
  }
  for (int i = 0; i < kPages; ++i) EXPECT_EQ(remembered[i].use_count(), i == 1 ? 3 : 1) << i;
  go_on.set_value();
  store.flush();
  EXPECT_EQ(user.use_count(), 2);
  EXPECT_EQ(store.stats().dropped, kPages + 1);
}

}  // namespace
}  // namespace minke
