// The pre-tokenizers that models of the DeepSeek, Qwen, Llama and SmolLM families ship in their
// tokenizer.json, by the name that GGUF files give them. Facts: the tokenizer.json files of the
// models; the names: llama.cpp's list of tokenizer.ggml.pre.

#include <algorithm>
#include <array>

#include "base/core/error.h"
#include "text/tokenizer/pre_tokenizer.h"
#include "text/tokenizer/tokenizer.h"

namespace minke {
namespace {

constexpr std::string_view kLineBreak = R"([\r\n])";

// Letters of the bicameral scripts (Latin, Greek, Cyrillic, Armenian, Georgian, Cherokee, Coptic,
// Glagolitic, Deseret, Osage, ...).
constexpr std::string_view kDeepSeekLlmWords =
    R"(\s?[A-Za-z\u00B5\u00C0-\u00D6\u00D8-\u00F6\u00F8-\u01BA\u01BC-\u01BF\u01C4-\u0293\u0295-\u02AF\u0370-\u0373)"
    R"(\u0376\u0377\u037B-\u037D\u037F\u0386\u0388-\u038A\u038C\u038E-\u03A1\u03A3-\u03F5\u03F7-\u0481\u048A-\u052F)"
    R"(\u0531-\u0556\u10A0-\u10C5\u13A0-\u13F5\u13F8-\u13FD\u1C90-\u1CBA\u1CBD-\u1CBF\u1D00-\u1D2B\u1D6B-\u1D77)"
    R"(\u1D79-\u1D9A\u1E00-\u1F15\u1F18-\u1F1D\u1F20-\u1F45\u1F48-\u1F4D\u1F50-\u1F57\u1F59\u1F5B\u1F5D\u1F5F-\u1F7D)"
    R"(\u1F80-\u1FB4\u1FB6-\u1FBC\u1FBE\u1FC2-\u1FC4\u1FC6-\u1FCC\u1FD0-\u1FD3\u1FD6-\u1FDB\u1FE0-\u1FEC\u1FF2-\u1FF4)"
    R"(\u1FF6-\u1FFC\u2102\u2107\u210A-\u2113\u2115\u2119-\u211D\u2124\u2126\u2128\u212A-\u212D\u212F-\u2134\u2139)"
    R"(\u213C-\u213F\u2145-\u2149\u214E\u2183\u2184\u2C00-\u2C7B\u2C7E-\u2CE4\u2CEB-\u2CEE\u2CF2\u2CF3\uA640-\uA66D)"
    R"(\uA680-\uA69B\uA722-\uA76F\uA771-\uA787\uA78B-\uA78E\uAB70-\uABBF\uFB00-\uFB06\uFB13-\uFB17\uFF21-\uFF3A)"
    R"(\uFF41-\uFF5A\x{10400}-\x{1044F}\x{104B0}-\x{104D3}\x{104D8}-\x{104FB}\x{10C80}-\x{10CB2}\x{10CC0}-\x{10CF2})"
    R"(\x{118A0}-\x{118DF}\x{1E900}-\x{1E943}]+)";

// Its range :-~ holds the ASCII letters too: words of the stage before that begin with none are cut
// here.
constexpr std::string_view kDeepSeekLlmPunctuation =
    R"(\s?[!-/:-~\uFF01-\uFF0F\uFF1A-\uFF5E\u2018-\u201F\u3000-\u3002]+)";
constexpr std::string_view kSpacesAtEnd = R"(\s+$)";
constexpr std::string_view kHanKanaHangul = R"([\u4E00-\u9FA5\u0800-\u4E00\uAC00-\uD7FF]+)";

constexpr std::string_view kLetters = R"(\s?\p{L}+)";
constexpr std::string_view kPunctuation = R"(\s?\p{P}+)";

constexpr std::string_view kUpToThreeDigits = R"(\p{N}{1,3})";
constexpr std::string_view kHanKana = R"([\u4E00-\u9FA5\u3040-\u309F\u30A0-\u30FF]+)";
constexpr std::string_view kDeepSeekV3Words =
    R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*)"
    R"(|\s*[\r\n]+|\s+(?!\S)|\s+)";

constexpr std::string_view kQwen2 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kLlama3 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kGpt2 =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

constexpr std::string_view kDigits;  // stands for a stage of Kind::kDigits

struct Entry {
  std::array<std::string_view, 3> names;
  std::vector<std::string_view> stages;
  bool nfc = false;
  bool ignore_merges = false;
};

const std::vector<Entry>& entries() {
  static const std::vector<Entry> table = {
      {{"deepseek-llm"},
       {kLineBreak, kDeepSeekLlmWords, kDeepSeekLlmPunctuation, kSpacesAtEnd, kHanKanaHangul,
        kDigits}},
      {{"deepseek-coder"}, {kLineBreak, kLetters, kPunctuation, kHanKanaHangul, kDigits}},
      {{"deepseek-v3", "joyai-llm"}, {kUpToThreeDigits, kHanKana, kDeepSeekV3Words}},
      {{"qwen2", "deepseek-r1-qwen"}, {kQwen2}, true},
      {{"llama-bpe", "llama3", "llama-v3"}, {kLlama3}, false, true},
      {{"smollm"}, {kDigits, kGpt2}},
      {{"gpt-2"}, {kGpt2}},
  };
  return table;
}

}  // namespace

std::string_view gpt2_pattern() {
  return kGpt2;
}

std::vector<std::string> pre_tokenizer_names() {
  std::vector<std::string> names;
  for (const Entry& entry : entries()) names.emplace_back(entry.names.front());
  return names;
}

std::vector<std::string> known_patterns() {
  std::vector<std::string> patterns;
  for (const Entry& entry : entries()) {
    for (const std::string_view stage : entry.stages) {
      if (stage != kDigits) patterns.emplace_back(stage);
    }
  }
  return patterns;
}

void apply_pre_tokenizer(std::string_view name, TokenizerSpec& spec) {
  const auto entry = std::ranges::find_if(entries(), [&](const Entry& e) {
    return !name.empty() && std::ranges::find(e.names, name) != e.names.end();
  });
  if (entry == entries().end()) {
    std::string known;
    for (const Entry& e : entries()) known += (known.empty() ? "" : ", ") + std::string(e.names[0]);
    fail(spec.source, "pre-tokenizer: expected one of {}, found \"{}\"", known, printable(name));
  }
  spec.stages.clear();
  for (const std::string_view stage : entry->stages) {
    using Kind = PreTokenizerStage::Kind;
    spec.stages.push_back({stage == kDigits ? Kind::kDigits : Kind::kPattern, std::string(stage)});
  }
  spec.nfc = entry->nfc;
  spec.ignore_merges = entry->ignore_merges;
}

}  // namespace minke
