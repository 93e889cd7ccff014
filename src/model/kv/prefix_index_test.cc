#include "model/kv/prefix_index.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "base/core/rng.h"
#include "model/kv/kv_testing.h"

namespace minke {
namespace {

using testing::compute;
using testing::has_row;
using testing::holds;
using testing::joined;
using testing::kSmallLayout;
using testing::row_value;
using testing::some_tokens;

using Ids = std::vector<int32_t>;

class PrefixIndexTest : public ::testing::Test {
 protected:
  explicit PrefixIndexTest(int64_t pages = 64)
      : pool_(kSmallLayout, pages * kSmallLayout.page_bytes()), index_(pool_) {}

  // Begins a cache with what is known of `tokens`.
  bool begin(KvCache& cache, std::string_view owner, const Ids& tokens) {
    PrefixMatch match = index_.match(owner, tokens);
    for (auto& page : match.pages) cache.append_shared(std::move(page));
    if (match.partial == nullptr) return true;
    if (!cache.reserve(cache.length() + match.partial_tokens)) return false;
    cache.append_copy(*match.partial, match.partial_tokens);
    return true;
  }

  // A prompt from its beginning to its end.
  void serve(std::string_view owner, const Ids& tokens) {
    KvCache cache(pool_, 100000);
    ASSERT_TRUE(begin(cache, owner, tokens));
    ASSERT_TRUE(compute(cache, tokens));
    index_.insert(owner, tokens, cache);
    EXPECT_TRUE(holds(cache, tokens));
  }

  // Whether the match holds the rows of the tokens that it claims.
  static bool right(const PrefixMatch& match, const Ids& tokens) {
    const int64_t bytes = kSmallLayout.row_bytes();
    for (int64_t t = 0; t < match.tokens(); ++t) {
      const auto page = static_cast<size_t>(t / kPageTokens);
      const KvPage& from = page < match.pages.size() ? *match.pages[page] : *match.partial;
      for (int layer = 0; layer < kSmallLayout.layers; ++layer) {
        const uint8_t* row = from.data() + kSmallLayout.offset_in_page(layer, t % kPageTokens);
        if (!has_row(row, bytes, row_value(tokens, t, layer))) return false;
      }
    }
    return true;
  }

  int64_t known(std::string_view owner, const Ids& tokens) {
    const int64_t told = index_.known(owner, tokens);
    const PrefixMatch match = index_.match(owner, tokens);
    EXPECT_EQ(match.tokens(), told);
    EXPECT_TRUE(right(match, tokens));
    return match.tokens();
  }

  KvPagePool pool_;
  PrefixIndex index_;
};

TEST_F(PrefixIndexTest, FindsPagesAndTheBeginningOfTheNext) {
  const Ids tokens = some_tokens(700, 1);
  EXPECT_EQ(known("a", tokens), 0);
  serve("a", tokens);
  EXPECT_EQ(index_.pages(), 3);
  EXPECT_EQ(index_.bytes(), 3 * kSmallLayout.page_bytes());
  EXPECT_EQ(known("a", tokens), 700);
  EXPECT_EQ(known("a", some_tokens(2000, 1)), 700);
  for (const int64_t length : {1, 255, 256, 257, 512, 600}) {
    EXPECT_EQ(known("a", some_tokens(length, 1)), length);
  }
  for (const size_t changed : {0u, 1u, 255u, 256u, 300u, 511u, 650u}) {
    Ids other = tokens;
    other[changed] = -1;
    EXPECT_EQ(known("a", other), static_cast<int64_t>(changed));
  }
  const PrefixMatch match = index_.match("a", some_tokens(300, 1));
  EXPECT_EQ(match.pages.size(), 1u);
  EXPECT_EQ(match.partial_tokens, 44);
  EXPECT_EQ(index_.match("a", {}).tokens(), 0);
}

TEST_F(PrefixIndexTest, OwnersSeeNothingOfOneAnother) {
  const Ids tokens = some_tokens(600, 1);
  serve("a", tokens);
  for (const char* other : {"", "A", "aa", "b"}) EXPECT_EQ(known(other, tokens), 0);
  serve("b", tokens);
  EXPECT_EQ(index_.pages(), 6);
  const PrefixMatch a = index_.match("a", tokens), b = index_.match("b", tokens);
  EXPECT_NE(a.pages[0], b.pages[0]);
}

TEST_F(PrefixIndexTest, BranchesShareWhatTheyHaveInCommon) {
  const Ids common = some_tokens(512, 1);
  for (int i = 2; i < 6; ++i) serve("a", joined(common, some_tokens(300, i)));
  EXPECT_EQ(index_.pages(), 2 + 4 * 2);
  for (int i = 2; i < 6; ++i) {
    EXPECT_EQ(known("a", joined(common, some_tokens(300, i))), 812);
    EXPECT_EQ(known("a", joined(common, some_tokens(40, i))), 552);
  }
  EXPECT_EQ(known("a", joined(common, some_tokens(300, 7))), 512);
  EXPECT_EQ(pool_.pages_in_use(), index_.pages());
}

TEST_F(PrefixIndexTest, EqualPagesAreKeptOnce) {
  const Ids tokens = some_tokens(600, 1);
  KvCache one(pool_, 1000), two(pool_, 1000);
  compute(one, tokens);
  compute(two, tokens);
  EXPECT_EQ(pool_.pages_in_use(), 6);
  index_.insert("a", tokens, one);
  index_.insert("a", tokens, two);
  // Two pages in common, the third of each, and a copy of it.
  EXPECT_EQ(pool_.pages_in_use(), 5);
  EXPECT_EQ(one.row(0, 300), two.row(0, 300));
  EXPECT_TRUE(holds(two, tokens));
}

TEST_F(PrefixIndexTest, ALongerPageTakesThePlaceOfItsBeginning) {
  serve("a", some_tokens(300, 1));
  EXPECT_EQ(index_.pages(), 2);
  serve("a", some_tokens(400, 1));
  EXPECT_EQ(index_.pages(), 2);
  serve("a", some_tokens(350, 1));
  EXPECT_EQ(index_.pages(), 2);
  EXPECT_EQ(known("a", some_tokens(1000, 1)), 400);
  serve("a", some_tokens(512, 1));
  EXPECT_EQ(index_.pages(), 2);
  serve("b", some_tokens(20, 1));
  serve("b", some_tokens(256, 1));
  EXPECT_EQ(index_.pages(), 3);
  EXPECT_EQ(known("b", some_tokens(1000, 1)), 256);
}

TEST_F(PrefixIndexTest, WhatIsNotOfThePromptIsNotRemembered) {
  const Ids tokens = some_tokens(600, 1);
  KvCache cache(pool_, 1000);
  compute(cache, tokens);
  index_.insert("a", std::span(tokens).first(530), cache);
  EXPECT_EQ(known("a", tokens), 530);
  // The cache goes on in its own page.
  EXPECT_TRUE(compute(cache, some_tokens(700, 1)));
  EXPECT_EQ(known("a", tokens), 530);
}

TEST_F(PrefixIndexTest, RowsBehindTheLastFullPageOfALongerCache) {
  const Ids tokens = some_tokens(900, 1);
  KvCache cache(pool_, 1000);
  compute(cache, tokens);
  index_.insert("a", std::span(tokens).first(300), cache);
  EXPECT_EQ(known("a", tokens), 300);
}

class SmallPrefixIndexTest : public PrefixIndexTest {
 protected:
  SmallPrefixIndexTest() : PrefixIndexTest(6) {}
};

TEST_F(SmallPrefixIndexTest, ForgetsWhatWasNotUsedForTheLongestTime) {
  for (int i = 1; i <= 3; ++i) serve("a", some_tokens(512, i));
  EXPECT_EQ(pool_.free_pages(), 0);
  known("a", some_tokens(512, 1));
  EXPECT_EQ(index_.known("a", some_tokens(512, 2)), 512);
  EXPECT_TRUE(index_.make_room(1));
  EXPECT_EQ(known("a", some_tokens(512, 2)), 256);
  EXPECT_EQ(known("a", some_tokens(512, 3)), 512);
  EXPECT_EQ(known("a", some_tokens(512, 1)), 512);
  EXPECT_TRUE(index_.make_room(2));
  EXPECT_EQ(known("a", some_tokens(512, 2)), 0);
  EXPECT_EQ(known("a", some_tokens(512, 3)), 512);
  EXPECT_TRUE(index_.make_room(6));
  EXPECT_EQ(index_.pages(), 0);
  EXPECT_FALSE(index_.make_room(7));
  EXPECT_EQ(known("a", some_tokens(512, 1)), 0);
}

TEST_F(SmallPrefixIndexTest, KeepsWhatASequenceHolds) {
  const Ids tokens = some_tokens(512, 1);
  serve("a", tokens);
  serve("a", some_tokens(512, 2));
  KvCache cache(pool_, 1000);
  ASSERT_TRUE(begin(cache, "a", tokens));
  EXPECT_FALSE(index_.make_room(6));
  EXPECT_EQ(index_.pages(), 2);
  EXPECT_TRUE(holds(cache, tokens));
  EXPECT_EQ(known("a", tokens), 512);
  cache.clear();
  EXPECT_TRUE(index_.make_room(6));
}

TEST_F(SmallPrefixIndexTest, TheRestTakesTheOldestPageOrNone) {
  serve("old", some_tokens(200, 1));
  KvCache cache(pool_, 100000);
  const Ids tokens = some_tokens(1300, 2);
  ASSERT_TRUE(compute(cache, std::span(tokens).first(1200)));
  EXPECT_EQ(pool_.free_pages(), 0);
  index_.insert("a", std::span(tokens).first(1200), cache);
  EXPECT_EQ(known("old", some_tokens(200, 1)), 0);
  EXPECT_EQ(known("a", tokens), 1200);
  index_.insert("a", std::span(tokens).first(1100), cache);
  EXPECT_EQ(known("a", tokens), 1200);
  // Nothing but the copy of that rest can go; then nothing can.
  index_.insert("b", std::span(tokens).first(100), cache);
  EXPECT_EQ(known("b", tokens), 100);
  EXPECT_EQ(known("a", tokens), 1024);
  const PrefixMatch held = index_.match("b", std::span(tokens).first(100));
  index_.insert("c", std::span(tokens).first(100), cache);
  EXPECT_EQ(known("c", tokens), 0);
  EXPECT_EQ(known("b", tokens), 100);
}

// Against a list of everything that was inserted: what is found is right, and, as long as nothing
// had to be forgotten, the longest there is.
TEST_F(PrefixIndexTest, RandomTreesAgreeWithAListOfAllPrompts) {
  Rng rng(7);
  std::vector<std::pair<std::string, Ids>> all;
  const auto random_prompt = [&] {
    Ids tokens;
    if (!all.empty() && rng.below(3) > 0) {
      tokens = all[rng.below(all.size())].second;
      tokens.resize(rng.below(tokens.size()) + 1);
    }
    const size_t length = tokens.size() + rng.below(300) + 1;
    while (tokens.size() < length) tokens.push_back(static_cast<int32_t>(rng.below(2)));
    tokens.resize(std::min<size_t>(tokens.size(), 900));
    return tokens;
  };
  bool forgot = false;
  for (int i = 0; i < 400; ++i) {
    const std::string owner(1, static_cast<char>('a' + rng.below(2)));
    const Ids tokens = random_prompt();
    int64_t longest = 0;
    for (const auto& [who, prompt] : all) {
      if (who != owner) continue;
      longest =
          std::max<int64_t>(longest, std::ranges::mismatch(prompt, tokens).in1 - prompt.begin());
    }
    const int64_t found = known(owner, tokens);
    ASSERT_LE(found, longest);
    if (!forgot) {
      ASSERT_EQ(found, longest);
    }
    // Room for the prompt, as a scheduler makes it.
    KvCache cache(pool_, 1000);
    PrefixMatch match = index_.match(owner, tokens);
    for (auto& page : match.pages) cache.append_shared(std::move(page));
    const int64_t needed = (static_cast<int64_t>(tokens.size()) + 255) / 256 - cache.pages();
    forgot = forgot || pool_.free_pages() < needed + 1;
    ASSERT_TRUE(index_.make_room(needed));
    if (match.partial_tokens > 0) {
      ASSERT_TRUE(cache.reserve(cache.length() + match.partial_tokens));
      cache.append_copy(*match.partial, match.partial_tokens);
    }
    match = {};
    ASSERT_TRUE(compute(cache, tokens));
    ASSERT_TRUE(holds(cache, tokens));
    index_.insert(owner, tokens, cache);
    ASSERT_GE(known(owner, tokens), static_cast<int64_t>(tokens.size()) / 256 * 256);
    cache.clear();
    ASSERT_EQ(pool_.pages_in_use(), index_.pages());
    all.emplace_back(owner, tokens);
  }
  EXPECT_TRUE(forgot);
  EXPECT_GT(index_.pages(), 32);
}

}  // namespace
}  // namespace minke
