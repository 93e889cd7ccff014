#include "learn/data/packing.h"

#include <algorithm>
#include <functional>

#include "base/core/check.h"
#include "base/core/error.h"

namespace minke {
namespace {

// So many documents without room make it likely that the next finds none either.
constexpr size_t kMostDeferred = 8;

constexpr int64_t kMostTokens = int64_t{1} << 30;

}  // namespace

Packer::Packer(const DocumentSource& source, const PackingOptions& options, PackingState state)
    : source_(&source), options_(options), state_(std::move(state)) {
  if (options.tokens < 1 || options.tokens > kMostTokens)
    fail("tokens of a batch", "expected 1 to {}, found {}", kMostTokens, options.tokens);
  if (options.context < 1 || options.context > options.tokens) {
    fail("context", "expected 1 to {}, the tokens of a batch, found {}", options.tokens,
         options.context);
  }
  CHECK(options.padding >= 0);
  const std::vector<uint64_t>& deferred = state_.deferred;
  const bool ordered =
      std::ranges::adjacent_find(deferred, std::greater_equal<>()) == deferred.end();
  if (deferred.size() > kMostDeferred || !ordered ||
      (!deferred.empty() && deferred.back() >= state_.next)) {
    fail("packing state", "expected at most {} deferred documents in order, all before document {}",
         kMostDeferred, state_.next);
  }
}

bool Packer::place(uint64_t n, PackedBatch& batch) const {
  const Document document = source_->document(n);
  CHECK(document.tokens.size() >= 2 && document.loss_begin <= document.loss_end &&
        document.loss_end <= document.tokens.size());
  const size_t whole = document.tokens.size() - 1;
  const size_t size = std::min(whole, static_cast<size_t>(options_.context));
  if (size > static_cast<size_t>(options_.tokens) - batch.tokens.size()) return false;
  batch.segment_starts.push_back(static_cast<int32_t>(batch.tokens.size()));
  for (size_t i = 0; i < size; ++i) {
    const bool counts = i + 1 >= document.loss_begin && i + 1 < document.loss_end;
    batch.tokens.push_back(document.tokens[i]);
    batch.positions.push_back(static_cast<int32_t>(i));
    batch.targets.push_back(counts ? document.tokens[i + 1] : -1);
    batch.loss_targets += counts;
  }
  ++batch.documents;
  batch.cut_documents += size < whole;
  return true;
}

void Packer::pad(PackedBatch& batch) const {
  batch.filled = static_cast<int64_t>(batch.tokens.size());
  for (int64_t i = 0; batch.filled + i < options_.tokens; ++i) {
    if (i % options_.context == 0)
      batch.segment_starts.push_back(static_cast<int32_t>(batch.tokens.size()));
    batch.tokens.push_back(options_.padding);
    batch.positions.push_back(static_cast<int32_t>(i % options_.context));
    batch.targets.push_back(-1);
  }
}

PackedBatch Packer::next() {
  PackedBatch batch;
  for (auto* list : {&batch.tokens, &batch.positions, &batch.targets})
    list->reserve(static_cast<size_t>(options_.tokens));
  std::vector<uint64_t>& deferred = state_.deferred;
  std::erase_if(deferred, [&](uint64_t n) { return place(n, batch); });
  while (deferred.size() < kMostDeferred &&
         batch.tokens.size() < static_cast<size_t>(options_.tokens)) {
    const uint64_t n = state_.next++;
    if (!place(n, batch)) deferred.push_back(n);
  }
  pad(batch);
  return batch;
}

}  // namespace minke
