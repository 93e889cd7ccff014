#include "model/kv/kv_cache.h"

#include <set>
#include <thread>

#include <gtest/gtest.h>

#include "base/core/error.h"
#include "model/kv/kv_testing.h"

namespace minke {
namespace {

using testing::compute;
using testing::holds;
using testing::kSmallLayout;
using testing::some_tokens;

TEST(KvCache, RowsOfAPageAndLayerAreContiguousAndLayersApart) {
  KvCache cache({2, 3, DType::kF32}, 4);
  EXPECT_EQ(cache.new_row(0, 1), cache.new_row(0, 0) + 12);
  EXPECT_EQ(cache.new_row(1, 0), cache.new_row(0, 0) + 256 * 12);
  cache.new_row(1, 3)[11] = 5;
  cache.advance(4);
  EXPECT_EQ(cache.length(), 4);
  cache.truncate(1);
  EXPECT_EQ(cache.length(), 1);
  EXPECT_EQ(cache.row(1, 3)[11], 5);
}

TEST(KvCache, RowsTakeTheBytesOfTheirType) {
  EXPECT_EQ((KvLayout{27, 576, DType::kF32}.bytes_per_token()), 27 * 576 * 4);
  EXPECT_EQ((KvLayout{27, 576, DType::kBF16}.bytes_per_token()), 27 * 576 * 2);
  EXPECT_EQ((KvLayout{27, 576, DType::kBF16}.page_bytes()), 256 * 27 * 576 * 2);
  EXPECT_EQ((KvLayout{27, 576, DType::kQ8_0}.bytes_per_token()), 27 * 576 / 32 * 34);
  EXPECT_EQ((KvLayout{27, 576, DType::kQ8_0}.row_stride()), 576);
  KvCache cache({1, 3, DType::kBF16}, 4);
  EXPECT_EQ(cache.new_row(0, 2), cache.new_row(0, 0) + 12);
}

TEST(KvCache, IsRefusedInBlocksThatHeadsDoNotFill) {
  const KvLayout heads_of_48{.layers = 2, .width = 192, .part = 48};
  EXPECT_EQ(heads_of_48.stored_as(DType::kF32).bytes_per_token(), 2 * 192 * 4);
  EXPECT_THROW(heads_of_48.stored_as(DType::kQ8_0), Error);
  const KvLayout heads_of_64{.layers = 2, .width = 192, .part = 64};
  EXPECT_EQ(heads_of_64.stored_as(DType::kQ8_0).bytes_per_token(), 2 * 192 / 32 * 34);
}

TEST(KvCache, TakesPagesAsTokensCome) {
  KvCache cache(kSmallLayout, 100000);
  EXPECT_EQ(cache.pages(), 0);
  const auto tokens = some_tokens(600, 1);
  for (const size_t length : {1, 256, 257, 600}) {
    EXPECT_TRUE(compute(cache, std::span(tokens).first(length)));
    EXPECT_EQ(cache.pages(), static_cast<int64_t>(length + 255) / 256);
  }
  EXPECT_TRUE(holds(cache, tokens));
  const auto chunks = cache.chunks(1, 600);
  ASSERT_EQ(chunks.size(), 3u);
  EXPECT_EQ(chunks[2], cache.row(1, 512));
  cache.truncate(0);
  EXPECT_EQ(cache.pages(), 3);
  cache.clear();
  EXPECT_EQ(cache.pages(), 0);
}

TEST(KvCache, AMovedCacheKeepsItsPages) {
  const auto tokens = some_tokens(300, 1);
  KvCache cache(kSmallLayout, 600);
  compute(cache, tokens);
  KvCache moved = std::move(cache);
  EXPECT_TRUE(holds(moved, tokens));
  EXPECT_TRUE(compute(moved, some_tokens(600, 1)));
}

TEST(KvCache, ReserveTakesAllPagesOrNone) {
  KvPagePool pool(kSmallLayout, 3 * kSmallLayout.page_bytes() + 100);
  EXPECT_EQ(pool.pages(), 3);
  KvCache one(pool, 1000), two(pool, 1000);
  EXPECT_TRUE(one.reserve(257));
  EXPECT_EQ(pool.free_pages(), 1);
  EXPECT_FALSE(two.reserve(257));
  EXPECT_EQ(two.pages(), 0);
  EXPECT_EQ(pool.free_pages(), 1);
  EXPECT_TRUE(two.reserve(256));
  EXPECT_FALSE(one.reserve(513));
  EXPECT_TRUE(one.reserve(512));
  two.clear();
  EXPECT_TRUE(one.reserve(513));
  EXPECT_EQ(pool.pages_in_use(), 3);
}

TEST(KvCache, APageThatIsSharedIsNotWrittenAgain) {
  KvPagePool pool(kSmallLayout, 8 * kSmallLayout.page_bytes());
  const auto tokens = some_tokens(700, 1);
  KvCache first(pool, 1000);
  compute(first, std::span(tokens).first(600));
  const std::shared_ptr<const KvPage> page = first.share_page();
  KvCache second(pool, 1000);
  second.append_shared(page);
  EXPECT_EQ(second.length(), 256);
  EXPECT_EQ(second.row(1, 7), first.row(1, 7));
  EXPECT_TRUE(compute(second, tokens));
  EXPECT_TRUE(holds(second, tokens));
  EXPECT_TRUE(holds(first, tokens));
  EXPECT_EQ(pool.pages_in_use(), 5);

  EXPECT_DEATH(first.new_row(0, 255), "position >= length_");
  EXPECT_DEATH(first.truncate(255), "length >= shared_tokens");
  first.truncate(256);
  EXPECT_NE(first.new_row(0, 256), second.row(0, 256));
}

TEST(KvCache, CopiesTheBeginningOfAPage) {
  KvPagePool pool(kSmallLayout, 8 * kSmallLayout.page_bytes());
  const auto tokens = some_tokens(512, 1);
  KvCache first(pool, 1000);
  compute(first, tokens);
  const auto page = first.share_page();
  const auto behind = first.share_page();
  KvCache second(pool, 1000);
  second.append_shared(page);
  ASSERT_TRUE(second.reserve(356));
  second.append_copy(*behind, 100);
  EXPECT_EQ(second.length(), 356);
  EXPECT_TRUE(holds(second, tokens));
  EXPECT_NE(second.row(0, 256), first.row(0, 256));
  auto other = tokens;
  other[356] = -1;
  EXPECT_TRUE(compute(second, other));
  EXPECT_TRUE(holds(second, other));
  EXPECT_TRUE(holds(first, tokens));
}

TEST(KvCache, APageGoesBackWhenNobodyHoldsIt) {
  KvPagePool pool(kSmallLayout, 8 * kSmallLayout.page_bytes());
  const auto tokens = some_tokens(256, 1);
  std::shared_ptr<const KvPage> held;
  {
    KvCache one(pool, 1000), two(pool, 1000);
    compute(one, tokens);
    compute(two, tokens);
    EXPECT_EQ(pool.pages_in_use(), 2);
    held = one.share_page();
    two.exchange_page(held);
    EXPECT_EQ(pool.pages_in_use(), 1);
    EXPECT_EQ(two.row(0, 3), one.row(0, 3));
  }
  EXPECT_EQ(pool.pages_in_use(), 1);
  held = nullptr;
  EXPECT_EQ(pool.pages_in_use(), 0);
}

TEST(KvCache, GoingBeyondWhatIsReservedStops) {
  KvPagePool pool(kSmallLayout, 8 * kSmallLayout.page_bytes());
  KvCache cache(pool, 300);
  ASSERT_TRUE(cache.reserve(10));
  cache.advance(10);
  EXPECT_DEATH(cache.row(0, 256), "i < pages");
  EXPECT_DEATH(cache.new_row(0, 256), "own_pool_ != nullptr");
  EXPECT_DEATH(cache.advance(250), "reserved");
  EXPECT_DEATH(cache.reserve(301), "capacity_");
  EXPECT_DEATH(cache.share_page(), "shared_tokens");
}

TEST(KvPagePool, HandsPagesOutAgainBeforeItAsksForMemory) {
  KvPagePool pool(kSmallLayout, 100 * kSmallLayout.page_bytes());
  EXPECT_EQ(pool.held_bytes(), 0);
  std::set<const KvPage*> seen;
  for (int i = 0; i < 20; ++i) {
    const auto a = pool.take(), b = pool.take();
    seen.insert({a.get(), b.get()});
  }
  EXPECT_EQ(seen.size(), 2u);
  EXPECT_EQ(pool.held_bytes(), 2 * kSmallLayout.page_bytes());
  EXPECT_EQ(KvPagePool(kSmallLayout, kSmallLayout.page_bytes() - 1).take(), nullptr);
}

TEST(KvPagePool, APageMayOutliveThePool) {
  auto pool = std::make_unique<KvPagePool>(kSmallLayout, kSmallLayout.page_bytes());
  const auto page = pool->take();
  pool = nullptr;
  page->data()[0] = 1;
  EXPECT_EQ(page->data()[0], 1);
}

TEST(KvPagePool, AMemoryRefusedIsAnErrorAndCountsForNothing) {
  const KvLayout huge{1 << 16, int64_t{1} << 24, DType::kF32};
  KvPagePool pool(huge, huge.page_bytes());
  EXPECT_EQ(pool.pages(), 1);
  EXPECT_THROW(pool.take(), Error);
  EXPECT_EQ(pool.pages_in_use(), 0);
  KvCache cache(huge, 100);
  EXPECT_THROW(cache.reserve(1), Error);
}

TEST(KvPagePool, ServesSeveralThreads) {
  KvPagePool pool(kSmallLayout, 5 * kSmallLayout.page_bytes());
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&pool, t] {
      for (int i = 0; i < 2000; ++i) {
        const auto a = pool.take();
        if (a == nullptr) continue;
        a->data()[i % 100] = static_cast<uint8_t>(t);
        const auto b = pool.take();
        if (a->data()[i % 100] != t || a == b) std::abort();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(pool.pages_in_use(), 0);
  EXPECT_LE(pool.held_bytes(), 5 * kSmallLayout.page_bytes());
}

}  // namespace
}  // namespace minke
