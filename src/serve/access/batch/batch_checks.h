#pragma once

#include <cstdint>
#include <string>

#include "serve/access/batch_store.h"

namespace minke {

// What can be seen of new files and batches without the database. Throw Error that names the field.

void check_new_file(const NewFile& file, const BatchStoreOptions& options);
void check_new_batch(const NewBatch& batch, const BatchStoreOptions& options);

// Seconds of a completion window, "24h".
int64_t window_seconds(const std::string& window);

}  // namespace minke
