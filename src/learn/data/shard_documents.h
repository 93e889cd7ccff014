#pragma once

#include <vector>

#include "learn/data/shards.h"

namespace minke {

// The documents of some shards, epoch after epoch, each epoch in an order of its own.
class ShardDocuments : public DocumentSource {
 public:
  // Throws Error if there is no shard, or if the shards are of different vocabularies.
  ShardDocuments(std::vector<Shard> shards, uint64_t seed);

  Document document(uint64_t n) const override;
  // Documents of an epoch.
  uint64_t epoch() const { return ends_.back(); }
  const ShardVocabulary& vocabulary() const { return shards_.front().vocabulary(); }

 private:
  std::vector<Shard> shards_;
  std::vector<uint64_t> ends_;  // documents up to the end of each shard
  uint64_t seed_;
};

}  // namespace minke
