#pragma once

#include <filesystem>

#include "text/tokenizer/tokenizer.h"

namespace minke {

// Writes tokenizer.json and tokenizer_config.json into `folder`, which must exist, for Hugging
// Face's libraries and read_tokenizer_json(). Ids of `spec` without a token are left out. Throws
// Error if a file cannot be written.
void write_tokenizer(const TokenizerSpec& spec, const std::filesystem::path& folder);

}  // namespace minke
