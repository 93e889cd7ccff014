#pragma once

#include <optional>
#include <string>

#include "text/tokenizer/tokenizer.h"

namespace minke {

// What a GGUF file calls a pre-tokenizer in tokenizer.ggml.pre.
struct PreTokenizerName {
  std::string name;
  std::string difference;  // where readers of the file will give other ids; "" if nowhere
};

// The name under which readers of a GGUF file cut texts so that `spec` gives the ids that it gives
// now; empty if there is none. A name whose stage takes up to three digits together also stands for
// one that takes each alone, as long as no merge joins digits: then a piece of three digits becomes
// three tokens anyway.
std::optional<PreTokenizerName> pre_tokenizer_name(const TokenizerSpec& spec);

}  // namespace minke
