#include "text/tokenizer/tokenizer_config.h"

#include <algorithm>
#include <filesystem>

#include "base/core/error.h"
#include "base/core/json.h"
#include "base/core/mapped_file.h"
#include "text/tokenizer/json_node.h"

namespace minke {
namespace {

std::optional<int32_t> find_token(const TokenizerSpec& spec, std::string_view text) {
  const auto added = std::ranges::find(spec.added, text, &AddedToken::text);
  if (added != spec.added.end()) return added->id;
  const auto token = std::ranges::find(spec.tokens, text);
  if (token == spec.tokens.end()) return std::nullopt;
  return static_cast<int32_t>(token - spec.tokens.begin());
}

// The token that `key` names, by a string or by an object with its content.
struct NamedToken {
  JsonNode node;
  std::optional<int32_t> id;
};
std::optional<NamedToken> read_token(const JsonNode& root, std::string_view key,
                                     const TokenizerSpec& spec) {
  auto node = root.get(key);
  if (!node.has_value()) return std::nullopt;
  if (node->is_object()) node = node->need("content");
  return NamedToken{*node, find_token(spec, node->string())};
}

// `id` and `add` hold what tokenizer.json says.
void read_control(const JsonNode& root, const std::string& name, const TokenizerSpec& spec,
                  std::optional<int32_t>& id, bool& add) {
  const auto token = read_token(root, name + "_token", spec);
  const auto add_node = root.get("add_" + name + "_token");
  if (token.has_value()) {
    if (!token->id.has_value()) token->node.expected("a token of tokenizer.json");
    if (add && !add_node.has_value() && id != token->id) {
      token->node.expected(fmt::format("token {}, as in tokenizer.json's post_processor", *id));
    }
    id = token->id;
  }
  if (add_node.has_value()) add = add_node->boolean();
  if (add && !id.has_value()) add_node->expected(fmt::format("false without a {}_token", name));
}

std::string read_chat_template(const JsonNode& node) {
  if (node.is_string()) return std::string(node.string());
  size_t index = 0;
  for (const auto element : node.array()) {
    const JsonNode item = node.item(element, index++);
    if (item.need("name").string() == "default") return std::string(item.need("template").string());
  }
  return {};
}

}  // namespace

void apply_tokenizer_config(std::string_view text, const std::string& file, TokenizerSpec& spec) {
  const JsonDocument document = JsonDocument::parse(text, file);
  const JsonNode root(document.root(), document.name());
  read_control(root, "bos", spec, spec.bos, spec.add_bos);
  read_control(root, "eos", spec, spec.eos, spec.add_eos);
  // Padding is no part of what a model reads or writes here, so a token for it that tokenizer.json
  // lacks is no error.
  if (const auto pad = read_token(root, "pad_token", spec)) spec.pad = pad->id;
  if (const auto chat_template = root.get("chat_template"))
    spec.chat_template = read_chat_template(*chat_template);
}

TokenizerSpec read_tokenizer_json(const std::filesystem::path& folder) {
  const auto text_of = [&](const char* name) {
    const auto path = folder / name;
    return std::filesystem::exists(path) ? read_text_file(path) : std::string();
  };
  TokenizerSpec spec = parse_tokenizer_json(read_text_file(folder / "tokenizer.json"),
                                            text_of("tokenizer_config.json"), folder.string());
  if (std::string jinja = text_of("chat_template.jinja"); !jinja.empty())
    spec.chat_template = std::move(jinja);
  return spec;
}

}  // namespace minke
