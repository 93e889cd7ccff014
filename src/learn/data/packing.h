#pragma once

#include <cstdint>
#include <vector>

#include "learn/data/documents.h"

namespace minke {

struct PackingOptions {
  int64_t tokens = 4096;   // of a batch
  int64_t context = 1024;  // of a document, at most `tokens`; what goes beyond is cut off
  int32_t padding = 0;     // an id for places that no document took
};

// Whole documents, one behind the other. A document of k tokens takes k - 1 places: its last token
// is a target only.
struct PackedBatch {
  // One entry a place; options.tokens places.
  std::vector<int32_t> tokens;
  std::vector<int32_t> positions;  // from 0 in each segment
  std::vector<int32_t> targets;    // the next token of the document, -1 where it does not count
  // The first place of each segment: of each document, then of the padding, if there is any.
  // Attention must not cross segments.
  std::vector<int32_t> segment_starts;
  int64_t filled = 0;        // places that documents took; those from here on are padding
  int64_t loss_targets = 0;  // targets that count
  int64_t documents = 0;
  int64_t cut_documents = 0;  // of those, longer than the context
};

// Where a run stands: all that is needed to go on with the same batches.
struct PackingState {
  uint64_t next = 0;               // the first document that was not asked for
  std::vector<uint64_t> deferred;  // earlier ones that had no room yet, in order; at most 8
  bool operator==(const PackingState&) const = default;
};

// Fills batch after batch, each document in exactly one. Greedy: first what was deferred, then
// documents in order; those that find no room are deferred, up to 8 of them.
class Packer {
 public:
  // Throws Error for options out of range and for a state that no packer can be in. `source` must
  // outlive this.
  Packer(const DocumentSource& source, const PackingOptions& options, PackingState state = {});

  PackedBatch next();
  const PackingState& state() const { return state_; }

 private:
  // False if the document has no room.
  bool place(uint64_t n, PackedBatch& batch) const;
  void pad(PackedBatch& batch) const;

  const DocumentSource* source_;
  PackingOptions options_;
  PackingState state_;
};

}  // namespace minke
