#include "model/families/bundle.h"

#include "base/core/error.h"
#include "model/formats/gguf_tokenizer.h"
#include "model/formats/open_checkpoint.h"

namespace minke {
namespace {

namespace fs = std::filesystem;

std::unique_ptr<Tokenizer> tokenizer_of(const Checkpoint& checkpoint) {
  if (checkpoint.naming() == Naming::kGguf) {
    if (!has_gguf_tokenizer(checkpoint.metadata())) return nullptr;
    return std::make_unique<Tokenizer>(read_gguf_tokenizer(checkpoint));
  }
  const fs::path folder = checkpoint.source();
  if (!fs::exists(folder / "tokenizer.json")) return nullptr;
  return std::make_unique<Tokenizer>(read_tokenizer_json(folder));
}

GenerationDefaults defaults_of(const Checkpoint& checkpoint, int64_t vocab) {
  const Metadata& m = checkpoint.metadata();
  GenerationDefaults d;
  d.temperature = m.number("generation.temperature");
  d.top_p = m.number("generation.top_p");
  d.top_k = m.integer("generation.top_k");
  for (const char* key : {"generation.eos_token_id", "eos_token_id"}) {
    const auto ids = m.integers(key);
    if (!ids) continue;
    for (const int64_t id : *ids) {
      if (id >= 0 && id < vocab) d.stop_ids.push_back(static_cast<int32_t>(id));
    }
  }
  return d;
}

}  // namespace

int64_t Bundle::weight_bytes() const {
  int64_t total = 0;
  for (const auto& [name, tensor] : checkpoint.tensors()) total += tensor.bytes();
  return total;
}

const Tokenizer& Bundle::require_tokenizer() const {
  if (tokenizer == nullptr) fail(checkpoint.source(), "this model comes without a tokenizer");
  return *tokenizer;
}

Bundle load_bundle(const fs::path& path) {
  Bundle bundle(open_checkpoint(path));
  bundle.model = load_model(bundle.checkpoint);
  const int64_t vocab = bundle.model->facts().vocab;
  bundle.tokenizer = tokenizer_of(bundle.checkpoint);
  if (bundle.tokenizer != nullptr && bundle.tokenizer->size() > vocab) {
    fail(bundle.checkpoint.source(), "the tokenizer has {} ids, the model only {}",
         bundle.tokenizer->size(), vocab);
  }
  bundle.defaults = defaults_of(bundle.checkpoint, vocab);
  return bundle;
}

std::unique_ptr<Tokenizer> load_tokenizer(const fs::path& path) {
  if (fs::is_directory(path) && fs::exists(path / "tokenizer.json")) {
    return std::make_unique<Tokenizer>(read_tokenizer_json(path));
  }
  const Checkpoint checkpoint = open_checkpoint(path);
  auto tokenizer = tokenizer_of(checkpoint);
  if (tokenizer == nullptr) fail(checkpoint.source(), "this model comes without a tokenizer");
  return tokenizer;
}

}  // namespace minke
