#include "learn/data/task_documents.h"

#include <algorithm>
#include <cmath>

#include "base/core/check.h"
#include "base/core/error.h"

namespace minke {

TaskDocuments::TaskDocuments(const DocumentEncoder& encoder, std::vector<ProblemShare> shares,
                             Split split, uint64_t seed)
    : encoder_(&encoder), shares_(std::move(shares)), split_(split), seed_(seed) {
  if (shares_.empty()) fail("tasks", "expected at least one share, found none");
  double end = 0;
  for (const ProblemShare& share : shares_) {
    CHECK(share.task != nullptr);
    if (!std::isfinite(share.weight) || share.weight <= 0)
      fail(share.task->name(), "weight: expected a positive number, found {}", share.weight);
    if (share.level < 1 || share.level > share.task->levels()) {
      fail(share.task->name(), "level: expected 1 to {}, found {}", share.task->levels(),
           share.level);
    }
    ends_.push_back(end += share.weight);
  }
}

TaskDocuments::Made TaskDocuments::make(uint64_t n) const {
  // A seed for each document: however many numbers a problem takes, the next one's are others.
  Rng rng(Rng(seed_, n).next());
  const auto end = std::ranges::upper_bound(ends_, rng.uniform() * ends_.back());
  // Rounding may lead behind the last.
  const size_t which = std::min<size_t>(end - ends_.begin(), shares_.size() - 1);
  const ProblemShare& share = shares_[which];
  return {share.task->make(share.language, share.level, split_, rng), share};
}

Document TaskDocuments::document(uint64_t n) const {
  const Made made = make(n);
  return made.share.form == ProblemForm::kText ? encoder_->problem_text(made.problem)
                                               : encoder_->problem_chat(made.problem);
}

}  // namespace minke
