#pragma once

#include <memory>
#include <vector>

#include "learn/data/documents.h"
#include "learn/data/encoder.h"
#include "learn/data/task_documents.h"
#include "learn/tasks/task.h"
#include "learn/train/recipe/recipe.h"

namespace minke {

// The kinds of problems of `data` and their shares: every language and level of a task alike often;
// a task of weight 0 has none. Throws Error for a task that is not known.
std::vector<ProblemShare> problem_shares(const DataRecipe& data);

// The documents of a stage: problems of its shares, or those of its shards (with Split::kHeldOut
// its held-out ones). Throws Error for a task that is not known, levels that it does not have, and
// a shard of another vocabulary. `encoder` must outlive the source.
std::unique_ptr<DocumentSource> stage_documents(const DataRecipe& data,
                                                const DocumentEncoder& encoder, Split split);

}  // namespace minke
