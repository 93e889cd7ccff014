#include <array>

#include "serve/api/completions/completion_runner.h"

namespace minke {
namespace {

struct GapMarkers {
  std::string_view before, gap, behind;
};

constexpr std::array<GapMarkers, 3> kGapMarkers = {{
    {"<\xef\xbd\x9c"
     "fim\xe2\x96\x81"
     "begin\xef\xbd\x9c>",
     "<\xef\xbd\x9c"
     "fim\xe2\x96\x81"
     "hole\xef\xbd\x9c>",
     "<\xef\xbd\x9c"
     "fim\xe2\x96\x81"
     "end\xef\xbd\x9c>"},
    {"<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"},
    {"<fim_prefix>", "<fim_suffix>", "<fim_middle>"},
}};

}  // namespace

EncodedPrompt encode_text(const Tokenizer& tokenizer, std::string_view text, bool ends) {
  EncodedPrompt prompt;
  prompt.ids = tokenizer.encode(text, Tokenizer::Special::kAll);
  if (!ends) return prompt;
  const TokenizerSpec& spec = tokenizer.spec();
  if (spec.add_bos && spec.bos) {
    prompt.ids.insert(prompt.ids.begin(), *spec.bos);
    prompt.before = 1;
  }
  if (spec.add_eos && spec.eos) {
    prompt.ids.push_back(*spec.eos);
    prompt.after = 1;
  }
  return prompt;
}

// The texts on both sides are text: nothing in them is a control token.
std::optional<EncodedPrompt> encode_gap(const Tokenizer& tokenizer, std::string_view before,
                                        std::string_view behind) {
  for (const GapMarkers& markers : kGapMarkers) {
    const auto first = tokenizer.special_id(markers.before);
    const auto gap = tokenizer.special_id(markers.gap);
    const auto last = tokenizer.special_id(markers.behind);
    if (!first || !gap || !last) continue;
    EncodedPrompt prompt;
    const TokenizerSpec& spec = tokenizer.spec();
    if (spec.add_bos && spec.bos) prompt.ids.push_back(*spec.bos);
    const auto add_text = [&](std::string_view text) {
      const std::vector<int32_t> ids = tokenizer.encode(text, Tokenizer::Special::kNone);
      prompt.ids.insert(prompt.ids.end(), ids.begin(), ids.end());
    };
    prompt.ids.push_back(*first);
    add_text(before);
    prompt.ids.push_back(*gap);
    add_text(behind);
    prompt.ids.push_back(*last);
    return prompt;
  }
  return std::nullopt;
}

}  // namespace minke
