#include "learn/data/tokenizer_files.h"

#include "base/core/check.h"

namespace minke {
namespace {

// DeepSeek's control tokens have full-width bars (U+FF5C) and blocks for blanks (U+2581).
constexpr const char* kBos = "<\uFF5Cbegin\u2581of\u2581sentence\uFF5C>";
constexpr const char* kEos = "<\uFF5Cend\u2581of\u2581sentence\uFF5C>";
constexpr const char* kPad = "<\uFF5C\u2581pad\u2581\uFF5C>";
constexpr const char* kUser = "<\uFF5CUser\uFF5C>";
constexpr const char* kAssistant = "<\uFF5CAssistant\uFF5C>";

// The format that docs/chat-formats.md calls deepseek-r1: system texts first, the thinking of old
// answers left out, the thinking of the reply begun. Without tools, for which there are no tokens.
constexpr const char* kChatTemplate =
    "{% set ns = namespace(system_prompt='', is_first=true) %}"
    "{% for message in messages %}{% if message['role'] == 'system' %}{% if ns.is_first %}"
    "{% set ns.system_prompt = message['content'] %}{% set ns.is_first = false %}{% else %}"
    "{% set ns.system_prompt = ns.system_prompt + '\\n\\n' + message['content'] %}{% endif %}"
    "{% endif %}{% endfor %}{{ bos_token }}{{ ns.system_prompt }}"
    "{% for message in messages %}{% if message['role'] == 'user' %}"
    "{{'<\uFF5CUser\uFF5C>' + message['content']}}{% elif message['role'] == 'assistant' %}"
    "{% set content = message['content'] %}"
    "{% if '</think>' in content %}{% set content = content.split('</think>')[-1] %}{% endif %}"
    "{{'<\uFF5CAssistant\uFF5C>' + content + '<\uFF5Cend\u2581of\u2581sentence\uFF5C>'}}"
    "{% elif message['role'] != 'system' %}"
    "{{ raise_exception('expected the role system, user or assistant') }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{'<\uFF5CAssistant\uFF5C><think>\\n'}}{% endif %}";

}  // namespace

std::vector<PreTokenizerStage> training_stages() {
  TokenizerSpec spec;
  apply_pre_tokenizer("deepseek-v3", spec);
  // In the place of the stage that takes three digits together.
  spec.stages.front() = {PreTokenizerStage::Kind::kDigits, {}};
  return spec.stages;
}

TokenizerSpec training_spec(const BpeVocabulary& vocabulary, const std::string& source) {
  TokenizerSpec spec;
  spec.source = source;
  const auto control = [&](const char* text, bool special) {
    const auto id = static_cast<int32_t>(spec.tokens.size());
    spec.tokens.emplace_back(text);
    spec.added.push_back({id, text, special, /*normalized=*/false});
    return id;
  };
  spec.bos = control(kBos, true);
  spec.eos = control(kEos, true);
  spec.pad = control(kPad, true);
  for (const char* marker : {kUser, kAssistant, "<think>", "</think>"}) control(marker, false);
  CHECK(spec.tokens.size() == kControlTokens);
  spec.tokens.insert(spec.tokens.end(), vocabulary.tokens.begin(), vocabulary.tokens.end());
  spec.merges = vocabulary.merges;
  spec.stages = training_stages();
  spec.add_bos = true;
  spec.chat_template = kChatTemplate;
  return spec;
}

}  // namespace minke
