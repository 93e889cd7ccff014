#include "learn/train/stage_data.h"

#include <map>
#include <set>

#include <gtest/gtest.h>

#include "learn/data/data_testing.h"
#include "learn/data/shards.h"
#include "learn/data/task_documents.h"

namespace minke {
namespace {

using testing::error_of;

class StageDataTest : public ::testing::Test {
 protected:
  StageDataTest() : tokenizer_(testing::byte_tokenizer_spec()), encoder_(tokenizer_) {
    data_.tasks = {TaskShare{"sums"}, TaskShare{"units", 0}};
    data_.languages = {"en", "de"};
    data_.levels = {1, 2};
  }
  static std::set<std::vector<int32_t>> first(const DocumentSource& source, uint64_t count) {
    std::set<std::vector<int32_t>> documents;
    for (uint64_t n = 0; n < count; ++n) documents.insert(source.document(n).tokens);
    return documents;
  }

  Tokenizer tokenizer_;
  DocumentEncoder encoder_;
  DataRecipe data_;
};

TEST_F(StageDataTest, MixesLanguagesAndLevelsAlikeOften) {
  const auto source = stage_documents(data_, encoder_, Split::kTrain);
  const auto& documents = dynamic_cast<const TaskDocuments&>(*source);
  std::map<std::pair<Language, int>, int> counts;
  for (uint64_t n = 0; n < 2000; ++n) {
    const auto made = documents.make(n);
    ASSERT_EQ(made.problem.task, "sums");  // the other has weight 0
    ++counts[{made.share.language, made.share.level}];
  }
  ASSERT_EQ(counts.size(), 4u);
  // 500 expected, deviation 19.
  for (const auto& [cell, count] : counts) EXPECT_NEAR(count, 500, 100);
}

TEST_F(StageDataTest, ATaskThatComesAgainHasAWeightForEachOfItsLevels) {
  data_.tasks = {TaskShare{"sums", 3}, TaskShare{"sums", 1, {3, 3}}};
  const auto source = stage_documents(data_, encoder_, Split::kTrain);
  const auto& documents = dynamic_cast<const TaskDocuments&>(*source);
  std::map<int, int> counts;
  for (uint64_t n = 0; n < 2000; ++n) ++counts[documents.make(n).share.level];
  // 750, 750 and 500 expected, deviations 22 and 19.
  EXPECT_NEAR(counts[1], 750, 100);
  EXPECT_NEAR(counts[2], 750, 100);
  EXPECT_NEAR(counts[3], 500, 100);
}

TEST_F(StageDataTest, HeldOutProblemsAreOthers) {
  const auto train = first(*stage_documents(data_, encoder_, Split::kTrain), 3000);
  for (const auto& tokens : first(*stage_documents(data_, encoder_, Split::kHeldOut), 300)) {
    EXPECT_FALSE(train.contains(tokens)) << tokenizer_.decode(tokens);
  }
}

TEST_F(StageDataTest, RefusesTheIdsOfAnotherTokenizer) {
  const testing::TempFolder folder;
  const std::string path = folder / "shard";
  const auto refusal = [&](const ShardVocabulary& vocabulary) {
    ShardWriter writer(path, vocabulary);
    writer.add({{1, 2, 3}, 0, 3}, "test");
    writer.commit();
    return error_of([&] { stage_documents(data_, encoder_, Split::kTrain); });
  };
  data_.tasks.clear();
  data_.shards = {path};
  ShardVocabulary vocabulary = shard_vocabulary(tokenizer_);
  EXPECT_EQ(refusal(vocabulary), "");
  ++vocabulary.hash;
  EXPECT_EQ(refusal(vocabulary),
            path + ": expected ids of the model's tokenizer, found those of another one");
  ++vocabulary.ids;
  EXPECT_EQ(refusal(vocabulary), path + ": expected ids of a vocabulary of 263, found 264");
}

TEST_F(StageDataTest, RefusesWhatThereIsNot) {
  data_.levels = {1, 99};
  EXPECT_NE(error_of([&] { stage_documents(data_, encoder_, Split::kTrain); }).find("sums: level"),
            std::string::npos);
  data_.tasks = {TaskShare{"whales"}};
  EXPECT_NE(error_of([&] { stage_documents(data_, encoder_, Split::kTrain); }).find("'whales'"),
            std::string::npos);
  data_.tasks.clear();
  data_.shards = {"/nowhere/a.shard"};
  EXPECT_NE(error_of([&] { stage_documents(data_, encoder_, Split::kTrain); }).find("a.shard"),
            std::string::npos);
}

}  // namespace
}  // namespace minke
