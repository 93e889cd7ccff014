#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "text/tokenizer/pre_tokenizer.h"

namespace minke {

// What byte-pair training found. Tokens are written in GPT-2's byte alphabet: first the 256 bytes,
// in the order of their characters, then one token a merge.
struct BpeVocabulary {
  std::vector<std::string> tokens;
  std::vector<std::pair<std::string, std::string>> merges;  // in order of rank
};

// Byte-level byte-pair encoding (Sennrich, Haddow, Birch: Neural Machine Translation of Rare Words
// with Subword Units, 2016): texts are cut into pieces, and again and again the adjacent pair that
// is most frequent within pieces becomes one token. Of pairs that are equally frequent the one of
// lower token numbers goes first (left, then right), so that the same texts give the same tokens
// everywhere, and those that Hugging Face's BpeTrainer gives.
class BpeTrainer {
 public:
  // `stages` cut texts into pieces; no token crosses a piece. Throws Error for a pattern that is
  // not understood.
  BpeTrainer(const std::vector<PreTokenizerStage>& stages, uint64_t byte_budget);

  // Counts the pieces of `text`, which must be valid UTF-8, up to the budget. False once the budget
  // is used up: further texts add nothing.
  bool add(std::string_view text);
  // Bytes that were counted.
  uint64_t bytes() const { return bytes_; }

  // At most `size` tokens (at least 256); fewer if every pair that is left occurs fewer than
  // `least_count` times. `told` is called with the number of tokens whenever there is one more;
  // what it throws ends the training.
  BpeVocabulary train(
      size_t size, uint64_t least_count = 2,
      const std::function<void(size_t)>& told = [](size_t) {}) const;

 private:
  PreTokenizer pre_tokenizer_;
  uint64_t budget_, bytes_ = 0;
  std::unordered_map<std::string, uint64_t> pieces_;  // and how often each occurs
};

}  // namespace minke
