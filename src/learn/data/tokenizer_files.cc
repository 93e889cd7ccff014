#include "learn/data/tokenizer_files.h"

#include <nlohmann/json.hpp>

#include "base/core/check.h"
#include "model/formats/atomic_file.h"

namespace minke {
namespace {

using Json = nlohmann::ordered_json;

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

Json stage_json(const PreTokenizerStage& stage) {
  if (stage.kind == PreTokenizerStage::Kind::kDigits)
    return {{"type", "Digits"}, {"individual_digits", true}};
  return {{"type", "Split"},
          {"pattern", {{"Regex", stage.pattern}}},
          {"behavior", "Isolated"},
          {"invert", false}};
}

Json byte_level(bool trim_offsets) {
  return {{"type", "ByteLevel"},
          {"add_prefix_space", false},
          {"trim_offsets", trim_offsets},
          {"use_regex", false}};
}

Json model_json(const TokenizerSpec& spec) {
  Json vocabulary = Json::object(), merges = Json::array();
  for (size_t id = 0; id < spec.tokens.size(); ++id) vocabulary[spec.tokens[id]] = id;
  for (const auto& [left, right] : spec.merges) merges.push_back(left + " " + right);
  return {{"type", "BPE"},
          {"dropout", nullptr},
          {"unk_token", nullptr},
          {"continuing_subword_prefix", nullptr},
          {"end_of_word_suffix", nullptr},
          {"fuse_unk", false},
          {"byte_fallback", false},
          {"ignore_merges", spec.ignore_merges},
          {"vocab", std::move(vocabulary)},
          {"merges", std::move(merges)}};
}

// What puts BOS before a text (and EOS behind it), as add_bos and add_eos say.
Json post_processor_json(const TokenizerSpec& spec) {
  Json single = Json::array(), pair = Json::array(), specials = Json::object();
  const auto add_token = [&](int32_t id, Json& list, int type) {
    const std::string& text = spec.tokens[id];
    list.push_back({{"SpecialToken", {{"id", text}, {"type_id", type}}}});
    specials[text] = {{"id", text}, {"ids", {id}}, {"tokens", {text}}};
  };
  const auto add_text = [&](const char* name, Json& list, int type) {
    if (spec.add_bos) add_token(*spec.bos, list, type);
    list.push_back({{"Sequence", {{"id", name}, {"type_id", type}}}});
    if (spec.add_eos) add_token(*spec.eos, list, type);
  };
  add_text("A", single, 0);
  add_text("A", pair, 0);
  add_text("B", pair, 1);
  return {{"type", "TemplateProcessing"},
          {"single", std::move(single)},
          {"pair", std::move(pair)},
          {"special_tokens", std::move(specials)}};
}

Json tokenizer_json(const TokenizerSpec& spec) {
  Json added = Json::array(), stages = Json::array();
  for (const AddedToken& token : spec.added) {
    added.push_back({{"id", token.id},
                     {"content", token.text},
                     {"single_word", false},
                     {"lstrip", false},
                     {"rstrip", false},
                     {"normalized", token.normalized},
                     {"special", token.special}});
  }
  for (const PreTokenizerStage& stage : spec.stages) stages.push_back(stage_json(stage));
  stages.push_back(byte_level(/*trim_offsets=*/true));
  return {{"version", "1.0"},
          {"truncation", nullptr},
          {"padding", nullptr},
          {"added_tokens", std::move(added)},
          {"normalizer", spec.nfc ? Json{{"type", "NFC"}} : Json(nullptr)},
          {"pre_tokenizer", {{"type", "Sequence"}, {"pretokenizers", std::move(stages)}}},
          {"post_processor", post_processor_json(spec)},
          {"decoder", byte_level(/*trim_offsets=*/true)},
          {"model", model_json(spec)}};
}

Json config_json(const TokenizerSpec& spec) {
  return {{"tokenizer_class", "PreTrainedTokenizerFast"},
          {"add_bos_token", spec.add_bos},
          {"add_eos_token", spec.add_eos},
          {"bos_token", spec.tokens[*spec.bos]},
          {"eos_token", spec.tokens[*spec.eos]},
          {"pad_token", spec.tokens[*spec.pad]},
          {"clean_up_tokenization_spaces", false},
          {"chat_template", spec.chat_template}};
}

void write_json(const Json& value, const std::filesystem::path& path) {
  AtomicFile file(path);
  file.write(value.dump(2) + "\n");
  file.commit();
}

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

void write_tokenizer(const TokenizerSpec& spec, const std::filesystem::path& folder) {
  CHECK(spec.bos && spec.eos && spec.pad);
  for (const std::string& token : spec.tokens) CHECK(!token.empty());
  write_json(tokenizer_json(spec), folder / "tokenizer.json");
  write_json(config_json(spec), folder / "tokenizer_config.json");
}

}  // namespace minke
