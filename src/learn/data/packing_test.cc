#include "learn/data/packing.h"

#include <algorithm>
#include <map>

#include <gtest/gtest.h>

#include "base/core/rng.h"
#include "learn/data/data_testing.h"

namespace minke {
namespace {

using testing::error_of;

// Documents whose tokens tell where they come from: token t of document n is 1000 n + t.
class Numbered : public DocumentSource {
 public:
  explicit Numbered(size_t longest) : longest_(longest) {}
  Document document(uint64_t n) const override {
    Rng rng(5, n * 8);
    Document document;
    document.tokens.resize(2 + rng.below(longest_ - 1));
    for (size_t t = 0; t < document.tokens.size(); ++t)
      document.tokens[t] = static_cast<int32_t>(1000 * n + t);
    document.loss_end = rng.below(document.tokens.size() + 1);
    document.loss_begin = rng.below(document.loss_end + 1);
    return document;
  }

 private:
  size_t longest_;
};

class Fixed : public DocumentSource {
 public:
  explicit Fixed(std::vector<Document> documents) : documents_(std::move(documents)) {}
  Document document(uint64_t n) const override { return documents_[n % documents_.size()]; }

 private:
  std::vector<Document> documents_;
};

void expect_equal(const PackedBatch& a, const PackedBatch& b) {
  EXPECT_EQ(a.tokens, b.tokens);
  EXPECT_EQ(a.positions, b.positions);
  EXPECT_EQ(a.targets, b.targets);
  EXPECT_EQ(a.segment_starts, b.segment_starts);
  EXPECT_EQ(a.filled, b.filled);
  EXPECT_EQ(a.loss_targets, b.loss_targets);
  EXPECT_EQ(a.cut_documents, b.cut_documents);
}

TEST(Packing, TokenByToken) {
  const Fixed source({{{10, 11, 12, 13}, 2, 4}, {{20, 21}, 0, 2}, {{30, 31, 32}, 0, 0}});
  Packer packer(source, {.tokens = 8, .context = 4, .padding = 99});
  const PackedBatch batch = packer.next();
  // Documents 3, 5 and 6 find no room behind the first three; 4 and 7 do.
  EXPECT_EQ(batch.tokens, (std::vector<int32_t>{10, 11, 12, 20, 30, 31, 20, 20}));
  EXPECT_EQ(batch.positions, (std::vector<int32_t>{0, 1, 2, 0, 0, 1, 0, 0}));
  EXPECT_EQ(batch.targets, (std::vector<int32_t>{-1, 12, 13, 21, -1, -1, 21, 21}));
  EXPECT_EQ(batch.segment_starts, (std::vector<int32_t>{0, 3, 4, 6, 7}));
  EXPECT_EQ(batch.filled, 8);
  EXPECT_EQ(batch.loss_targets, 5);
  EXPECT_EQ(packer.state(), (PackingState{8, {3, 5, 6}}));
  // Those that were deferred come first.
  EXPECT_EQ(packer.next().tokens, (std::vector<int32_t>{10, 11, 12, 30, 31, 10, 11, 12}));
  EXPECT_EQ(packer.state(), (PackingState{8, {}}));
}

TEST(Packing, PaddingIsASegmentOfItsOwn) {
  const Fixed source({{{1, 2, 3, 4}, 0, 4}});
  Packer packer(source, {.tokens = 5, .context = 3, .padding = 7});
  const PackedBatch batch = packer.next();
  EXPECT_EQ(batch.tokens, (std::vector<int32_t>{1, 2, 3, 7, 7}));
  EXPECT_EQ(batch.positions, (std::vector<int32_t>{0, 1, 2, 0, 1}));
  EXPECT_EQ(batch.targets, (std::vector<int32_t>{2, 3, 4, -1, -1}));
  EXPECT_EQ(batch.segment_starts, (std::vector<int32_t>{0, 3}));
  EXPECT_EQ(batch.filled, 3);
  EXPECT_EQ(packer.state().deferred.size(), 8u);
}

TEST(Packing, LongDocumentsAreCut) {
  const Fixed source({{{1, 2, 3, 4, 5, 6, 7}, 3, 7}});
  Packer packer(source, {.tokens = 8, .context = 4});
  const PackedBatch batch = packer.next();
  EXPECT_EQ(batch.tokens, (std::vector<int32_t>{1, 2, 3, 4, 1, 2, 3, 4}));
  EXPECT_EQ(batch.targets, (std::vector<int32_t>{-1, -1, 4, 5, -1, -1, 4, 5}));
  EXPECT_EQ(batch.cut_documents, 2);
}

// Compares a batch with what its tokens say: which document each segment is.
void check_batch(const DocumentSource& source, const PackingOptions& options,
                 const PackedBatch& batch, std::map<uint64_t, int>& seen) {
  const auto size = static_cast<size_t>(options.tokens);
  ASSERT_EQ(batch.tokens.size(), size);
  ASSERT_EQ(batch.positions.size(), size);
  ASSERT_EQ(batch.targets.size(), size);
  ASSERT_LE(batch.filled, options.tokens);
  ASSERT_FALSE(batch.segment_starts.empty());
  ASSERT_EQ(batch.segment_starts.front(), 0);
  int64_t counted = 0;
  for (size_t s = 0; s < batch.segment_starts.size(); ++s) {
    const auto begin = static_cast<size_t>(batch.segment_starts[s]);
    const size_t end = s + 1 < batch.segment_starts.size() ? batch.segment_starts[s + 1] : size;
    ASSERT_LT(begin, end);
    ASSERT_LE(end - begin, static_cast<size_t>(options.context));
    const bool padding = begin >= static_cast<size_t>(batch.filled);
    const uint64_t n = static_cast<uint64_t>(batch.tokens[begin]) / 1000;
    const Document document = padding ? Document{} : source.document(n);
    if (!padding) {
      ++seen[n];
      ASSERT_EQ(end - begin,
                std::min(document.tokens.size() - 1, static_cast<size_t>(options.context)));
    }
    for (size_t i = 0; begin + i < end; ++i) {
      ASSERT_EQ(batch.positions[begin + i], static_cast<int32_t>(i));
      const bool counts = i + 1 >= document.loss_begin && i + 1 < document.loss_end;
      ASSERT_EQ(batch.tokens[begin + i], padding ? options.padding : document.tokens[i]);
      ASSERT_EQ(batch.targets[begin + i], counts ? document.tokens[i + 1] : -1);
      counted += counts;
    }
  }
  ASSERT_EQ(batch.loss_targets, counted);
}

TEST(Packing, EveryDocumentOnceAndWhole) {
  for (const size_t longest : {3, 40, 200}) {
    const Numbered source(longest);
    const PackingOptions options = {.tokens = 256, .context = 100, .padding = 0};
    Packer packer(source, options);
    std::map<uint64_t, int> seen;
    int64_t filled = 0;
    constexpr int kBatches = 100;
    for (int i = 0; i < kBatches; ++i) {
      const PackedBatch batch = packer.next();
      check_batch(source, options, batch, seen);
      if (HasFatalFailure()) return;
      filled += batch.filled;
    }
    const PackingState& state = packer.state();
    EXPECT_EQ(seen.size() + state.deferred.size(), state.next);
    for (const auto& [n, times] : seen) {
      EXPECT_EQ(times, 1) << n;
      EXPECT_EQ(std::ranges::count(state.deferred, n), 0) << n;
    }
    EXPECT_GT(static_cast<double>(filled), 0.8 * kBatches * 256) << longest;
  }
}

TEST(Packing, AStateGivesTheSameBatches) {
  const Numbered source(60);
  const PackingOptions options = {.tokens = 128, .context = 64, .padding = 0};
  Packer whole(source, options);
  for (int i = 0; i < 40; ++i) {
    Packer resumed(source, options, whole.state());
    const PackedBatch expected = whole.next();
    expect_equal(resumed.next(), expected);
    EXPECT_EQ(resumed.state(), whole.state());
  }
}

TEST(Packing, OptionsAndStatesOutOfRangeAreErrors) {
  const Numbered source(10);
  const auto says = [&](const PackingOptions& options, const PackingState& state) {
    return error_of([&] { Packer(source, options, state); });
  };
  EXPECT_EQ(says({.tokens = 8, .context = 8}, {5, {1, 4}}), "");
  EXPECT_NE(says({.tokens = 0, .context = 1}, {}).find("tokens of a batch"), std::string::npos);
  EXPECT_NE(says({.tokens = 8, .context = 0}, {}).find("context: "), std::string::npos);
  EXPECT_NE(says({.tokens = 8, .context = 9}, {}).find("context: "), std::string::npos);
  for (const PackingState& bad :
       {PackingState{5, {5}}, PackingState{5, {1, 1}}, PackingState{5, {2, 1}},
        PackingState{20, {0, 1, 2, 3, 4, 5, 6, 7, 8}}}) {
    EXPECT_NE(says({.tokens = 8, .context = 8}, bad).find("packing state: "), std::string::npos);
  }
}

}  // namespace
}  // namespace minke
