#include "model/formats/write_tokenizer.h"

#include <map>

#include <nlohmann/json.hpp>

#include "base/core/atomic_file.h"

namespace minke {
namespace {

using Json = nlohmann::ordered_json;

// The text of a token, which stands in the vocabulary or among the added ones.
std::string text_of(const TokenizerSpec& spec, int32_t id) {
  for (const AddedToken& token : spec.added) {
    if (token.id == id) return token.text;
  }
  return spec.tokens[static_cast<size_t>(id)];
}

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

// Hugging Face's tokenizers number the added tokens that the vocabulary lacks themselves, from the
// vocabulary's end on. Whether that gives the ids that they have: nothing but added tokens from
// `end` on, without a hole, and no hole before it that they do not fill.
bool numbered_from(size_t end, const TokenizerSpec& spec) {
  size_t below = 0, next = end;
  for (size_t id = 0; id < end; ++id) below += spec.tokens[id].empty() ? 0 : 1;
  for (const AddedToken& token : spec.added) {
    const auto id = static_cast<size_t>(token.id);
    if (id < end) {
      below += spec.tokens[id].empty() ? 1 : 0;
    } else if (id != next++) {
      return false;
    }
  }
  return below == end;
}

// The vocabulary, with the added tokens that must stand in it to keep their ids.
std::map<size_t, std::string> vocabulary_of(const TokenizerSpec& spec) {
  std::map<size_t, std::string> vocabulary;
  for (size_t id = 0; id < spec.tokens.size(); ++id) {
    if (!spec.tokens[id].empty()) vocabulary[id] = spec.tokens[id];
  }
  const size_t end = vocabulary.empty() ? 0 : vocabulary.rbegin()->first + 1;
  const bool rest_follows = numbered_from(end, spec);
  for (const AddedToken& token : spec.added) {
    const auto id = static_cast<size_t>(token.id);
    if (id < end || !rest_follows) vocabulary[id] = token.text;
  }
  return vocabulary;
}

Json model_json(const TokenizerSpec& spec) {
  Json vocabulary = Json::object(), merges = Json::array();
  for (auto& [id, text] : vocabulary_of(spec)) vocabulary[text] = id;
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
    const std::string text = text_of(spec, id);
    list.push_back({{"SpecialToken", {{"id", text}, {"type_id", type}}}});
    specials[text] = {{"id", text}, {"ids", {id}}, {"tokens", {text}}};
  };
  const auto add_text = [&](const char* name, Json& list, int type) {
    if (spec.add_bos && spec.bos) add_token(*spec.bos, list, type);
    list.push_back({{"Sequence", {{"id", name}, {"type_id", type}}}});
    if (spec.add_eos && spec.eos) add_token(*spec.eos, list, type);
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
  Json config = {{"tokenizer_class", "PreTrainedTokenizerFast"},
                 {"add_bos_token", spec.add_bos},
                 {"add_eos_token", spec.add_eos}};
  if (spec.bos) config["bos_token"] = text_of(spec, *spec.bos);
  if (spec.eos) config["eos_token"] = text_of(spec, *spec.eos);
  if (spec.pad) config["pad_token"] = text_of(spec, *spec.pad);
  config["clean_up_tokenization_spaces"] = false;
  if (!spec.chat_template.empty()) config["chat_template"] = spec.chat_template;
  return config;
}

void write_json(const Json& value, const std::filesystem::path& path) {
  AtomicFile file(path);
  file.write(value.dump(2) + "\n");
  file.commit();
}

}  // namespace

void write_tokenizer(const TokenizerSpec& spec, const std::filesystem::path& folder) {
  write_json(tokenizer_json(spec), folder / "tokenizer.json");
  write_json(config_json(spec), folder / "tokenizer_config.json");
}

}  // namespace minke
