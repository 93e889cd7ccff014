#include "learn/train/stage_data.h"

#include "base/core/error.h"
#include "learn/data/shard_documents.h"

namespace minke {
namespace {

void add_shares(const TaskShare& share, const DataRecipe& data, std::vector<ProblemShare>& to) {
  const Task& task = task_named(share.name);
  const auto [low, high] = share.levels[0] > 0 ? share.levels : data.levels;
  const auto cells =
      static_cast<double>((high - low + 1) * static_cast<int64_t>(data.languages.size()));
  for (const std::string& code : data.languages) {
    for (int64_t level = low; level <= high; ++level) {
      to.push_back({&task, language_from_code(code), static_cast<int>(level),
                    data.form == DataForm::kText ? ProblemForm::kText : ProblemForm::kChat,
                    share.weight / cells});
    }
  }
}

}  // namespace

std::vector<ProblemShare> problem_shares(const DataRecipe& data) {
  std::vector<ProblemShare> shares;
  for (const TaskShare& share : data.tasks) {
    if (share.weight > 0) add_shares(share, data, shares);
  }
  return shares;
}

std::unique_ptr<DocumentSource> stage_documents(const DataRecipe& data,
                                                const DocumentEncoder& encoder, Split split) {
  const auto seed = static_cast<uint64_t>(data.seed);
  if (data.shards.empty()) {
    return std::make_unique<TaskDocuments>(encoder, problem_shares(data), split, seed);
  }
  const auto& paths = split == Split::kTrain ? data.shards : data.held_out;
  std::vector<Shard> shards;
  for (const std::string& path : paths) shards.push_back(Shard::open(path));
  return std::make_unique<ShardDocuments>(std::move(shards), shard_vocabulary(encoder.tokenizer()),
                                          seed);
}

}  // namespace minke
