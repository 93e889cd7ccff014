#pragma once

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

}  // namespace minke
