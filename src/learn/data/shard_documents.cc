#include "learn/data/shard_documents.h"

#include <algorithm>

#include "base/core/error.h"
#include "base/core/rng.h"
#include "learn/data/permutation.h"

namespace minke {

ShardDocuments::ShardDocuments(std::vector<Shard> shards, const ShardVocabulary& vocabulary,
                               uint64_t seed)
    : shards_(std::move(shards)), seed_(seed) {
  if (shards_.empty()) fail("training data", "expected at least one shard, found none");
  uint64_t end = 0;
  for (const Shard& shard : shards_) {
    if (shard.vocabulary().ids != vocabulary.ids) {
      fail(shard.name(), "expected ids of a vocabulary of {}, found {}", vocabulary.ids,
           shard.vocabulary().ids);
    }
    if (shard.vocabulary() != vocabulary) {
      fail(shard.name(), "expected ids of the model's tokenizer, found those of another one");
    }
    ends_.push_back(end += shard.documents());
  }
}

Document ShardDocuments::document(uint64_t n) const {
  const uint64_t order = Rng(seed_, n / epoch()).next();
  const uint64_t place = Permutation(epoch(), order)(n % epoch());
  const auto end = std::ranges::upper_bound(ends_, place);
  const Shard& shard = shards_[end - ends_.begin()];
  return shard.document(place - (*end - shard.documents()));
}

}  // namespace minke
