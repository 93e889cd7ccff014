// A GGUF file of a stranger: metadata, tensors, tokenizer.
#include "checkpoint_reading.h"
#include "model/formats/gguf_tokenizer.h"
#include "model/formats/parse.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace minke;
  Checkpoint c(Naming::kGguf, Metadata("fuzz.gguf"));
  allow_error([&] { parse_gguf({{data, size}, "fuzz.gguf", nullptr}, c.metadata(), c); });
  read_everything(c);
  allow_error([&] { Tokenizer(read_gguf_tokenizer(c)); });
  return 0;
}
