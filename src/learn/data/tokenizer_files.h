#pragma once

#include <filesystem>
#include <vector>

#include "learn/data/bpe_trainer.h"
#include "text/tokenizer/tokenizer.h"

namespace minke {

// How own tokenizers cut texts: as DeepSeek-V3's, but for digits, each of which is a piece.
std::vector<PreTokenizerStage> training_stages();

// Ids that a tokenizer of training_spec() has besides those of its BpeVocabulary.
inline constexpr int32_t kControlTokens = 7;

// A tokenizer with DeepSeek-R1's control tokens and its chat format: ids 0 to 6 are BOS, EOS, the
// padding, the User and Assistant markers, <think> and </think>; then come the tokens of
// `vocabulary`. `source` begins error messages.
TokenizerSpec training_spec(const BpeVocabulary& vocabulary, const std::string& source);

// Writes tokenizer.json and tokenizer_config.json into `folder`, which must exist, for Hugging
// Face's libraries and read_tokenizer_json(). All ids of `spec` must be tokens, and its BOS, EOS
// and padding must be set. Throws Error if a file cannot be written.
void write_tokenizer(const TokenizerSpec& spec, const std::filesystem::path& folder);

}  // namespace minke
