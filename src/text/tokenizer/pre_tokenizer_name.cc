#include "text/tokenizer/pre_tokenizer_name.h"

#include <algorithm>
#include <set>
#include <vector>

#include "base/core/error.h"
#include "base/core/utf8.h"
#include "text/tokenizer/byte_alphabet.h"
#include "text/tokenizer/pre_tokenizer.h"
#include "text/tokenizer/regex_dialect.h"

namespace minke {
namespace {

using Kind = PreTokenizerStage::Kind;

// Patterns of one meaning are spelled in several ways, but translated alike.
std::string canonical(const PreTokenizerStage& stage) {
  return stage.kind == Kind::kDigits ? "" : to_pcre2(stage.pattern, "pre-tokenizer");
}

std::vector<std::string> canonical(const std::vector<PreTokenizerStage>& stages) {
  std::vector<std::string> all;
  for (const PreTokenizerStage& stage : stages) all.push_back(canonical(stage));
  return all;
}

// The bytes of numeric characters, and of their beginnings and ends.
struct Numerics {
  std::set<std::string, std::less<>> whole, beginnings, ends;
};

const Numerics& numerics() {
  static const Numerics all = [] {
    // Each character behind an "a", which is none: a piece that begins with another is numeric.
    std::string text;
    for (char32_t c = 0; c <= 0x10FFFF; ++c) {
      if (c >= 0xD800 && c <= 0xDFFF) continue;
      text += 'a';
      utf8_append(text, c);
    }
    const PreTokenizer digits({{Kind::kDigits, {}}}, "digits");
    const auto scratch = digits.make_scratch(text.size());
    Numerics found;
    for (const std::string_view piece : digits.split(text, *scratch)) {
      if (piece.front() == 'a') continue;
      found.whole.emplace(piece);
      for (size_t n = 1; n < piece.size(); ++n) {
        found.beginnings.emplace(piece.substr(0, n));
        found.ends.emplace(piece.substr(n));
      }
    }
    return found;
  }();
  return all;
}

// Whether `bytes` may be a part of numeric characters in a row that reaches over more than one.
bool joins_numerics(std::string_view bytes) {
  size_t begin = 0;
  while (begin < bytes.size() && (bytes[begin] & 0xC0) == 0x80) ++begin;
  if (begin == bytes.size()) return false;
  if (begin > 0 && !numerics().ends.contains(bytes.substr(0, begin))) return false;
  int parts = begin > 0 ? 1 : 0;
  for (bytes.remove_prefix(begin); !bytes.empty(); ++parts) {
    const size_t length = utf8_sequence_length(bytes);
    if (length == 0) {
      if (!numerics().beginnings.contains(bytes)) return false;
      return parts > 0;
    }
    if (!numerics().whole.contains(bytes.substr(0, length))) return false;
    bytes.remove_prefix(length);
  }
  return parts > 1;
}

enum class Joins { kNone, kRare, kAscii };

// What the merges join: nothing numeric, numeric characters of which one is none of 0 to 9, or
// those ten.
Joins joined_digits(const TokenizerSpec& spec) {
  Joins found = Joins::kNone;
  for (const auto& [left, right] : spec.merges) {
    const auto bytes = bytes_of_symbols(left + right);
    if (!bytes || !joins_numerics(*bytes)) continue;
    if (std::ranges::all_of(*bytes, [](char c) { return c >= '0' && c <= '9'; })) {
      return Joins::kAscii;
    }
    found = Joins::kRare;
  }
  return found;
}

// Where `spec` and what readers know as `named` differ in other things than stages.
std::string other_differences(const TokenizerSpec& spec, const TokenizerSpec& named) {
  std::string all;
  const auto add = [&](std::string_view text) {
    all += (all.empty() ? "" : "; ") + std::string(text);
  };
  if (spec.nfc != named.nfc) {
    add(spec.nfc ? "readers do not bring texts to NFC, as this tokenizer does"
                 : "readers may bring texts to NFC, which this tokenizer does not");
  }
  if (spec.ignore_merges != named.ignore_merges) {
    add(spec.ignore_merges ? "readers do not take whole pieces for tokens before merging"
                           : "readers take whole pieces for tokens before merging");
  }
  return all;
}

}  // namespace

std::optional<PreTokenizerName> pre_tokenizer_name(const TokenizerSpec& spec) {
  const std::vector<std::string> wanted = canonical(spec.stages);
  std::optional<PreTokenizerName> best;
  for (const std::string& name : pre_tokenizer_names()) {
    TokenizerSpec named;
    apply_pre_tokenizer(name, named);
    std::vector<std::string> stages = canonical(named.stages);
    std::string difference = other_differences(spec, named);
    if (stages != wanted) {
      const auto together = std::ranges::find(stages, canonical({Kind::kPattern, "\\p{N}{1,3}"}));
      if (together == stages.end()) continue;
      *together = canonical({Kind::kDigits, {}});
      if (stages != wanted) continue;
      const Joins joins = joined_digits(spec);
      if (joins == Joins::kAscii) continue;
      if (joins == Joins::kRare) {
        difference += difference.empty() ? "" : "; ";
        difference += "readers may join numeric characters other than 0 to 9 that stand together";
      }
    }
    if (difference.empty()) return PreTokenizerName{name, ""};
    if (!best) best = {name, difference};
  }
  return best;
}

}  // namespace minke
