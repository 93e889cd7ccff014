#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer/tokenizer.h"

namespace minke {

// The compiled stages of a pre-tokenizer. Immutable; every call makes its own match state, so
// threads may share one.
class PreTokenizer {
 public:
  // Throws Error (`where` begins it) for a pattern that is not understood.
  PreTokenizer(const std::vector<PreTokenizerStage>& stages, std::string_view where);
  ~PreTokenizer();
  PreTokenizer(PreTokenizer&&) noexcept;

  // What one encode() needs for matching: buffers, and the steps left for patterns that are not
  // known to be linear.
  class Scratch;
  struct ScratchDelete {
    void operator()(Scratch* scratch) const;
  };
  std::unique_ptr<Scratch, ScratchDelete> make_scratch(size_t text_bytes) const;

  // Cuts `text`, which must be valid UTF-8, into pieces. The result views `text` and lives until
  // the next call with `scratch`. Throws Error when the steps are used up.
  const std::vector<std::string_view>& split(std::string_view text, Scratch& scratch) const;

 private:
  struct Stage;
  void split_piece(const Stage& stage, std::string_view piece, Scratch& scratch) const;

  std::vector<Stage> stages_;
  std::string where_;
};

// The names that apply_pre_tokenizer() knows, of several for one pre-tokenizer the first.
std::vector<std::string> pre_tokenizer_names();

// The Oniguruma patterns of the pre-tokenizers that apply_pre_tokenizer() knows.
std::vector<std::string> known_patterns();

// GPT-2's pattern, which Hugging Face's `ByteLevel` uses when use_regex is set.
std::string_view gpt2_pattern();

}  // namespace minke
