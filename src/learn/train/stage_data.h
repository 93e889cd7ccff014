#pragma once

#include <memory>

#include "learn/data/documents.h"
#include "learn/data/encoder.h"
#include "learn/tasks/task.h"
#include "learn/train/recipe/recipe.h"

namespace minke {

// The documents of a stage: problems of its tasks, every language and level of a task alike often,
// or those of its shards (with Split::kHeldOut its held-out ones); a task of weight 0 has none.
// Throws Error for a task that is not known, levels that it does not have, and a shard of another
// vocabulary. `encoder` must outlive the source.
std::unique_ptr<DocumentSource> stage_documents(const DataRecipe& data,
                                                const DocumentEncoder& encoder, Split split);

}  // namespace minke
