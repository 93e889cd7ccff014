#include <algorithm>
#include <cmath>
#include <set>

#include <gtest/gtest.h>

#include "learn/data/data_testing.h"
#include "learn/data/shard_documents.h"
#include "learn/data/task_documents.h"

namespace minke {
namespace {

using testing::error_of;
using testing::SumTask;
using testing::TempFolder;

const ShardVocabulary kVocabulary{1000, 7};

// Shards of `sizes` documents, numbered through by their first token.
std::vector<Shard> shards(const TempFolder& folder, const std::vector<int>& sizes) {
  std::vector<Shard> all;
  int32_t number = 0;
  for (const int size : sizes) {
    const auto path = folder / std::to_string(all.size());
    ShardWriter writer(path, kVocabulary);
    for (int i = 0; i < size; ++i) writer.add({{number++, 1, 2}, 1, 3}, "test");
    writer.commit();
    all.push_back(Shard::open(path));
  }
  return all;
}

TEST(ShardDocuments, EveryEpochHasEachDocumentOnce) {
  const TempFolder folder;
  const ShardDocuments source(shards(folder, {5, 1, 20, 4}), kVocabulary, 3);
  EXPECT_EQ(source.epoch(), 30u);
  std::set<std::vector<int32_t>> orders;
  for (uint64_t epoch = 0; epoch < 5; ++epoch) {
    std::vector<int32_t> order;
    for (uint64_t i = 0; i < 30; ++i) order.push_back(source.document(epoch * 30 + i).tokens.at(0));
    orders.insert(order);
    std::ranges::sort(order);
    for (int32_t i = 0; i < 30; ++i) EXPECT_EQ(order[i], i);
  }
  EXPECT_EQ(orders.size(), 5u);
}

TEST(ShardDocuments, TheSeedDecidesTheOrder) {
  const TempFolder folder;
  const ShardDocuments a(shards(folder, {50}), kVocabulary, 1),
      b(shards(folder, {50}), kVocabulary, 1), c(shards(folder, {50}), kVocabulary, 2);
  bool differs = false;
  for (uint64_t n = 0; n < 100; ++n) {
    EXPECT_EQ(a.document(n), b.document(n));
    differs |= a.document(n) != c.document(n);
  }
  EXPECT_TRUE(differs);
}

TEST(ShardDocuments, ShardsMustFitTogether) {
  const TempFolder folder;
  EXPECT_NE(error_of([] { ShardDocuments({}, kVocabulary, 0); }).find("at least one shard"),
            std::string::npos);
  std::vector<Shard> mixed = shards(folder, {1});
  const auto refusal = [&](const ShardVocabulary& vocabulary) {
    ShardWriter writer(folder / "other", vocabulary);
    writer.add({{1, 2}, 0, 2}, "test");
    writer.commit();
    std::vector<Shard> both = mixed;
    both.push_back(Shard::open(folder / "other"));
    return error_of([&] { ShardDocuments(both, kVocabulary, 0); });
  };
  const std::string says = refusal({999, 7});
  EXPECT_TRUE(says.starts_with((folder / "other").string())) << says;
  EXPECT_NE(says.find("found 999"), std::string::npos) << says;
  EXPECT_NE(refusal({1000, 8}).find("those of another one"), std::string::npos);
  EXPECT_EQ(refusal({1000, 7}), "");
}

class TaskDocumentsTest : public ::testing::Test {
 protected:
  TaskDocuments source(std::vector<ProblemShare> shares, uint64_t seed = 1,
                       Split split = Split::kTrain) const {
    return TaskDocuments(encoder_, std::move(shares), split, seed);
  }
  ProblemShare share(int level, ProblemForm form, double weight,
                     Language language = Language::kEnglish) const {
    return {&task_, language, level, form, weight};
  }

  SumTask task_;
  Tokenizer tokenizer_{testing::byte_tokenizer_spec()};
  DocumentEncoder encoder_{tokenizer_};
};

TEST_F(TaskDocumentsTest, ADocumentIsItsNumbersAlone) {
  const auto a = source({share(3, ProblemForm::kText, 1)});
  const auto b = source({share(3, ProblemForm::kText, 1)});
  const auto c = source({share(3, ProblemForm::kText, 1)}, 2);
  std::set<std::vector<int32_t>> seen;
  int same = 0;
  for (uint64_t n = 200; n-- > 0;) {
    EXPECT_EQ(a.document(n), b.document(n));
    same += a.document(n) == c.document(n);
    seen.insert(a.document(n).tokens);
  }
  EXPECT_EQ(same, 0);
  EXPECT_GT(seen.size(), 195u);
}

TEST_F(TaskDocumentsTest, WeightsAreSharesOfTheDocuments) {
  const auto mixed =
      source({share(1, ProblemForm::kText, 6), share(2, ProblemForm::kChat, 3, Language::kGerman),
              share(3, ProblemForm::kText, 1, Language::kHindi)});
  constexpr int kCount = 6000;
  std::array<int, 4> by_level{};
  for (uint64_t n = 0; n < kCount; ++n) {
    const auto made = mixed.make(n);
    EXPECT_EQ(made.share.level, made.problem.level);
    EXPECT_EQ(made.share.language, made.problem.language);
    ++by_level[made.problem.level];
    const Document document = mixed.document(n);
    EXPECT_EQ(document.loss_begin > 0, made.problem.level == 2);
  }
  const std::array<double, 4> expected = {0, 0.6, 0.3, 0.1};
  for (int level = 1; level <= 3; ++level) {
    const double p = expected[level], sigma = std::sqrt(kCount * p * (1 - p));
    EXPECT_NEAR(by_level[level], kCount * p, 4 * sigma) << level;
  }
}

TEST_F(TaskDocumentsTest, TheSplitReachesTheTask) {
  const auto train = source({share(1, ProblemForm::kText, 1)});
  const auto held_out = source({share(1, ProblemForm::kText, 1)}, 1, Split::kHeldOut);
  for (uint64_t n = 0; n < 50; ++n) {
    EXPECT_LT(std::stoi(train.make(n).problem.solution), 20);
    EXPECT_GE(std::stoi(held_out.make(n).problem.solution), 20);
  }
}

TEST_F(TaskDocumentsTest, SharesOutOfRangeAreErrors) {
  const auto says = [&](std::vector<ProblemShare> shares) {
    return error_of([&] { source(shares); });
  };
  EXPECT_NE(says({}).find("at least one share"), std::string::npos);
  for (const double weight : {0.0, -1.0, std::nan(""), HUGE_VAL}) {
    EXPECT_NE(says({share(1, ProblemForm::kText, weight)}).find("test-sums: weight: expected"),
              std::string::npos);
  }
  for (const int level : {0, 4}) {
    EXPECT_NE(says({share(level, ProblemForm::kText, 1)}).find("test-sums: level: expected 1 to 3"),
              std::string::npos);
  }
}

}  // namespace
}  // namespace minke
