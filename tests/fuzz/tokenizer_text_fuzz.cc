// Bytes as text to encode, by every kind of tokenizer: decoding gives them back.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/check.h"
#include "base/core/utf8.h"
#include "text/tokenizer/normalize.h"
#include "text/tokenizer/tokenizer.h"

namespace {

using minke::Tokenizer;

std::vector<Tokenizer> read_tokenizers() {
  const auto folder = std::filesystem::path(MINKE_GOLDEN_DIR) / "tokenizers";
  std::vector<Tokenizer> all;
  for (const auto* kind : {"deepseek-v3", "llama3", "deepseek-llm", "deepseek-coder", "qwen2"}) {
    all.emplace_back(minke::read_tokenizer_json(folder / kind));
  }
  return all;
}

void check_round_trip(const Tokenizer& tokenizer, std::string_view text,
                      Tokenizer::Special special) {
  const std::vector<int32_t> ids = tokenizer.encode(text, special);
  CHECK(tokenizer.decode(ids, true) == text);
  minke::StreamDecoder decoder(tokenizer, true);
  std::string streamed;
  for (const int32_t id : ids) streamed += decoder.add(id);
  streamed += decoder.finish();
  CHECK(streamed == minke::utf8_sanitized(text));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const std::vector<Tokenizer> tokenizers = read_tokenizers();
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const bool valid = minke::utf8_valid(text);
  // Two have a token for every byte, two for every byte of UTF-8, and the last normalises.
  for (size_t i = 0; i < (valid ? 4u : 2u); ++i) {
    check_round_trip(tokenizers[i], text, Tokenizer::Special::kNone);
    check_round_trip(tokenizers[i], text, Tokenizer::Special::kAll);
  }
  tokenizers[4].encode(text, Tokenizer::Special::kAll);
  if (valid) CHECK(tokenizers[4].decode(tokenizers[4].encode(text)) == minke::nfc(text));
  return 0;
}
