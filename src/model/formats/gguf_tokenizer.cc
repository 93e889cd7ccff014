#include "model/formats/gguf_tokenizer.h"

#include <algorithm>
#include <utility>

#include "base/core/error.h"
#include "text/tokenizer/pre_tokenizer_name.h"

namespace minke {
namespace {

// Values of tokenizer.ggml.token_type.
enum TokenType : int64_t {
  kNormal = 1,
  kUnknown = 2,
  kControl = 3,
  kUserDefined = 4,
  kUnused = 5,
  kByte = 6,
};

void require_byte_level_bpe(const Metadata& m) {
  const auto kind = m.text("tokenizer.ggml.model");
  if (!kind) fail(m.source(), "expected a tokenizer (tokenizer.ggml.model), found none");
  if (*kind != "gpt2") {
    fail(m.source(),
         "tokenizer.ggml.model: expected \"gpt2\" (byte-level BPE), the one kind that Minke reads, "
         "found \"{}\"",
         printable(*kind));
  }
}

// Converters fill ids that the embedding has and the tokenizer does not with such names; some call
// them user-defined.
std::string padding_name(size_t id) {
  return fmt::format("[PAD{}]", id);
}
bool is_padding_name(std::string_view text, size_t id) {
  return text == padding_name(id);
}

// Moves control and user-defined tokens of spec.tokens to spec.added, and empties unused ones.
void sort_by_type(const Metadata& m, TokenizerSpec& spec) {
  const auto types = m.integers("tokenizer.ggml.token_type");
  if (!types) return;
  if (types->size() != spec.tokens.size()) {
    fail(m.source(), "tokenizer.ggml.token_type: expected {} items, one a token, found {}",
         spec.tokens.size(), types->size());
  }
  for (size_t id = 0; id < types->size(); ++id) {
    const int64_t type = (*types)[id];
    if (type < kNormal || type > kByte) {
      fail(m.source(), "tokenizer.ggml.token_type: expected 1 to 6, found {} for token {}", type,
           id);
    }
    if (type == kNormal || type == kByte) continue;
    std::string text = std::exchange(spec.tokens[id], "");
    const bool unused = type == kUnused || text.empty() || is_padding_name(text, id);
    if (unused) continue;
    AddedToken added;
    added.id = static_cast<int32_t>(id);
    added.text = std::move(text);
    added.special = type != kUserDefined;
    spec.added.push_back(std::move(added));
  }
}

void read_merges(const Metadata& m, TokenizerSpec& spec) {
  const auto merges = m.texts("tokenizer.ggml.merges");
  if (!merges) fail(m.source(), "expected a list tokenizer.ggml.merges, found none");
  spec.merges.reserve(merges->size());
  for (size_t i = 0; i < merges->size(); ++i) {
    const std::string& merge = (*merges)[i];
    const size_t space = merge.find(' ');
    if (space == std::string::npos || space == 0 || space + 1 == merge.size()) {
      fail(m.source(),
           "tokenizer.ggml.merges: expected two texts with a space between, found \"{}\" "
           "as item {}",
           printable(merge), i);
    }
    spec.merges.emplace_back(merge.substr(0, space), merge.substr(space + 1));
  }
}

std::optional<int32_t> read_id(const Metadata& m, const char* key, size_t tokens) {
  const auto id = m.integer(key);
  if (!id) return std::nullopt;
  if (*id < 0 || *id >= static_cast<int64_t>(tokens)) {
    fail(m.source(), "{}: expected the id of one of {} tokens, found {}", key, tokens, *id);
  }
  return static_cast<int32_t>(*id);
}

// Texts and types of all ids.
void set_tokens(const TokenizerSpec& spec, int64_t vocab, Metadata& metadata) {
  const auto count = static_cast<size_t>(vocab);
  std::vector<std::string> texts = spec.tokens;
  texts.resize(count);
  std::vector<int64_t> types(count, kNormal);
  for (const AddedToken& token : spec.added) {
    const auto id = static_cast<size_t>(token.id);
    texts[id] = token.text;
    types[id] = token.special ? kControl : kUserDefined;
  }
  for (size_t id = 0; id < count; ++id) {
    if (!texts[id].empty()) continue;
    texts[id] = padding_name(id);
    types[id] = kUnused;
  }
  metadata.set("tokenizer.ggml.tokens", meta_texts(std::move(texts)));
  metadata.set("tokenizer.ggml.token_type", meta_integers(types));
}

}  // namespace

bool has_gguf_tokenizer(const Metadata& metadata) {
  if (!metadata.has("tokenizer.ggml.model")) return false;
  const auto kind = metadata.text("tokenizer.ggml.model");
  return kind != "none" && kind != "no_vocab";
}

void set_no_gguf_tokenizer(Metadata& metadata) {
  metadata.set("tokenizer.ggml.model", "none");
}

std::string set_gguf_tokenizer(const TokenizerSpec& spec, int64_t vocab, Metadata& metadata) {
  const auto pre = pre_tokenizer_name(spec);
  if (!pre) {
    fail(spec.source,
         "pre_tokenizer: expected one that GGUF files have a name for (docs/tokenizers.md), found "
         "other patterns");
  }
  int64_t ids = static_cast<int64_t>(spec.tokens.size());
  for (const AddedToken& token : spec.added) ids = std::max<int64_t>(ids, token.id + 1);
  if (ids > vocab) fail(spec.source, "the tokenizer has {} ids, the model only {}", ids, vocab);
  metadata.set("tokenizer.ggml.model", "gpt2");
  metadata.set("tokenizer.ggml.pre", pre->name);
  set_tokens(spec, vocab, metadata);
  std::vector<std::string> merges;
  merges.reserve(spec.merges.size());
  for (const auto& [left, right] : spec.merges) merges.push_back(left + " " + right);
  metadata.set("tokenizer.ggml.merges", meta_texts(std::move(merges)));
  const auto set_id = [&](const char* name, std::optional<int32_t> id) {
    if (id) metadata.set(fmt::format("tokenizer.ggml.{}_token_id", name), int64_t{*id});
  };
  set_id("bos", spec.bos);
  set_id("eos", spec.eos);
  set_id("padding", spec.pad);
  metadata.set("tokenizer.ggml.add_bos_token", spec.add_bos);
  metadata.set("tokenizer.ggml.add_eos_token", spec.add_eos);
  if (!spec.chat_template.empty()) metadata.set("tokenizer.chat_template", spec.chat_template);
  return pre->difference;
}

TokenizerSpec read_gguf_tokenizer(const Checkpoint& checkpoint) {
  const Metadata& m = checkpoint.metadata();
  require_byte_level_bpe(m);
  TokenizerSpec spec;
  spec.source = m.source();
  auto tokens = m.texts("tokenizer.ggml.tokens");
  if (!tokens || tokens->empty() || tokens->size() > INT32_MAX) {
    fail(m.source(), "tokenizer.ggml.tokens: expected a list of 1 to 2^31-1 tokens, found {}",
         tokens ? std::to_string(tokens->size()) : "none");
  }
  spec.tokens = std::move(*tokens);
  const size_t count = spec.tokens.size();
  sort_by_type(m, spec);
  read_merges(m, spec);
  const auto pre = m.text("tokenizer.ggml.pre");
  if (!pre)
    fail(m.source(), "expected the name of a pre-tokenizer (tokenizer.ggml.pre), found none");
  apply_pre_tokenizer(*pre, spec);
  spec.bos = read_id(m, "tokenizer.ggml.bos_token_id", count);
  spec.eos = read_id(m, "tokenizer.ggml.eos_token_id", count);
  spec.pad = read_id(m, "tokenizer.ggml.padding_token_id", count);
  // Converters of Llama 3 models often leave the flag out; those models begin every text with BOS.
  const bool llama3 = *pre == "llama-bpe" || *pre == "llama3";
  spec.add_bos = m.flag("tokenizer.ggml.add_bos_token").value_or(llama3);
  spec.add_eos = m.flag("tokenizer.ggml.add_eos_token").value_or(false);
  spec.chat_template = m.text("tokenizer.chat_template").value_or("");
  return spec;
}

}  // namespace minke
