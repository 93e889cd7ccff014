#pragma once

#include "model/formats/checkpoint.h"
#include "text/tokenizer/tokenizer.h"

namespace minke {

// The tokenizer in a GGUF file's metadata (tokenizer.ggml.*). Throws Error if there is none, or it
// is not byte-level BPE.
TokenizerSpec read_gguf_tokenizer(const Checkpoint& checkpoint);

}  // namespace minke
