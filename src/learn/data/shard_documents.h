#pragma once

#include <vector>

#include "learn/data/shards.h"

namespace minke {

// The documents of some shards, epoch after epoch, each epoch in an order of its own.
class ShardDocuments : public DocumentSource {
 public:
  // Throws Error if there is no shard, or one whose ids are not of `vocabulary`.
  ShardDocuments(std::vector<Shard> shards, const ShardVocabulary& vocabulary, uint64_t seed);

  Document document(uint64_t n) const override;
  // Documents of an epoch.
  uint64_t epoch() const { return ends_.back(); }

 private:
  std::vector<Shard> shards_;
  std::vector<uint64_t> ends_;  // documents up to the end of each shard
  uint64_t seed_;
};

}  // namespace minke
