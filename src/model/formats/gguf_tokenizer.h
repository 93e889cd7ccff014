#pragma once

#include <string>

#include "model/formats/checkpoint.h"
#include "text/tokenizer/tokenizer.h"

namespace minke {

// The tokenizer in a GGUF file's metadata (tokenizer.ggml.*). Throws Error if there is none, or it
// is not byte-level BPE.
TokenizerSpec read_gguf_tokenizer(const Checkpoint& checkpoint);

// Whether the file says that it has a tokenizer. llama.cpp needs the key, and calls "none" or
// "no_vocab" what is there without one.
bool has_gguf_tokenizer(const Metadata& metadata);

// Sets tokenizer.ggml.* and the chat template, for a model with `vocab` ids, of which those that
// are no token are marked unused. Returns where readers will give other ids ("" if nowhere). Throws
// Error if the pre-tokenizer has no name in GGUF files, or there are more tokens than `vocab`.
std::string set_gguf_tokenizer(const TokenizerSpec& spec, int64_t vocab, Metadata& metadata);
// The same for a model without a tokenizer.
void set_no_gguf_tokenizer(Metadata& metadata);

}  // namespace minke
