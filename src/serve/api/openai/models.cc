#include "serve/api/openai/models.h"

#include <algorithm>
#include <exception>

#include <fmt/core.h>

#include "base/core/error.h"
#include "base/core/utf8.h"
#include "serve/api/api_errors.h"
#include "serve/api/openai/chat_request.h"

namespace minke {
namespace {

constexpr size_t kMostTokens = 1 << 22;

WireJson model_json(const ModelCard& card, std::string_view name) {
  return {{"id", name},
          {"object", "model"},
          {"created", card.created},
          {"owned_by", "minke"},
          {"max_model_len", card.context}};
}

template <typename Function>
HttpResponse answered(const Function& answer) {
  try {
    return json_response(answer());
  } catch (...) {
    return openai_error(api_error_of(std::current_exception()));
  }
}

// A piece that is no UTF-8 is told as its bytes, as llama.cpp does.
WireJson piece_json(std::string_view bytes) {
  if (utf8_valid(bytes)) return bytes;
  WireJson numbers = WireJson::array();
  for (const char byte : bytes) numbers.push_back(static_cast<unsigned char>(byte));
  return numbers;
}

}  // namespace

HttpResponse list_models(const ModelCard& card) {
  WireJson data = WireJson::array({model_json(card, card.name)});
  for (const std::string& alias : card.aliases) data.push_back(model_json(card, alias));
  return json_response({{"object", "list"}, {"data", std::move(data)}});
}

HttpResponse get_model(const ModelCard& card, std::string_view id) {
  if (id == card.name || std::ranges::find(card.aliases, id) != card.aliases.end()) {
    return json_response(model_json(card, id));
  }
  return openai_error(
      api_error(404, fmt::format("model: expected \"{}\", found \"{}\"", card.name, printable(id)),
                "model", "model_not_found"));
}

HttpResponse refuse_embeddings(const ModelCard& card) {
  return openai_error(
      api_error(501, fmt::format("the model \"{}\" writes text and makes no embeddings", card.name),
                "model", "embeddings_not_supported"));
}

TextEndpoints::TextEndpoints(const Tokenizer& tokenizer, const ChatRenderer* renderer,
                             const ModelCard& card, OpenAiOptions options)
    : tokenizer_(&tokenizer), renderer_(renderer), card_(card), options_(std::move(options)) {}

Conversation TextEndpoints::read_conversation(std::string_view body) const {
  if (renderer_ == nullptr) {
    throw ApiFailure(
        api_error(400, fmt::format("messages: the model \"{}\" has no chat template", card_.name),
                  "messages", "chat_not_supported"));
  }
  ChatRequest chat = read_chat_request(body, card_.name, options_, "");
  if (chat.turn.continue_last) {
    throw ApiFailure(api_error(
        400, "messages: a message that is to be gone on with is known to chats alone", "messages"));
  }
  return std::move(chat.turn.conversation);
}

WireJson TextEndpoints::tokenized(std::string_view body) const {
  const RequestBody parsed = RequestBody::parse(body);
  IgnoredFields ignored;
  JsonObject request(parsed.root(), ignored);
  std::vector<int32_t> ids;
  const bool spelled = request.boolean_or("return_token_strs", false);
  const bool pieces = request.boolean_or("with_pieces", false);
  if (request.get("messages")) {
    const Conversation conversation = read_conversation(body);
    ids = renderer_->render(conversation).ids;
  } else {
    const auto content = request.get("content");
    const JsonField text = content ? *content : request.need("prompt");
    const bool ends = content ? request.boolean_or("add_special", false)
                              : request.boolean_or("add_special_tokens", true);
    const auto special = request.boolean_or("parse_special", true) ? Tokenizer::Special::kAll
                                                                   : Tokenizer::Special::kNone;
    ids = ends ? tokenizer_->encode_prompt(text.text(), special)
               : tokenizer_->encode(text.text(), special);
  }
  WireJson tokens = WireJson::array(), texts = WireJson::array();
  for (const int32_t id : ids) {
    const std::string_view bytes = tokenizer_->bytes(id, true);
    if (pieces) {
      tokens.push_back({{"id", id}, {"piece", piece_json(bytes)}});
    } else {
      tokens.push_back(id);
    }
    if (spelled) texts.push_back(bytes);
  }
  WireJson json = {
      {"tokens", std::move(tokens)}, {"count", ids.size()}, {"max_model_len", card_.context}};
  if (spelled) json["token_strs"] = std::move(texts);
  return json;
}

HttpResponse TextEndpoints::tokenize(std::string_view body) const {
  return answered([&] { return tokenized(body); });
}

HttpResponse TextEndpoints::detokenize(std::string_view body) const {
  return answered([&] {
    const RequestBody parsed = RequestBody::parse(body);
    IgnoredFields ignored;
    JsonObject request(parsed.root(), ignored);
    const std::vector<int32_t> ids = request.need("tokens").ids(kMostTokens);
    const std::string text = utf8_sanitized(tokenizer_->decode(ids, true));
    return WireJson({{"content", text}, {"prompt", text}});
  });
}

HttpResponse TextEndpoints::tokenizer_info() const {
  return answered([&] {
    const TokenizerSpec& spec = tokenizer_->spec();
    const auto text = [&](const std::optional<int32_t>& id) -> WireJson {
      if (!id) return nullptr;
      return tokenizer_->bytes(*id, true);
    };
    return WireJson({{"bos_token", text(spec.bos)},
                     {"eos_token", text(spec.eos)},
                     {"pad_token", text(spec.pad)},
                     {"add_bos_token", spec.add_bos},
                     {"add_eos_token", spec.add_eos},
                     {"model_max_length", card_.context},
                     {"chat_template", spec.chat_template.empty() ? WireJson(nullptr)
                                                                  : WireJson(spec.chat_template)}});
  });
}

HttpResponse TextEndpoints::apply_template(std::string_view body) const {
  return answered([&] {
    const Conversation conversation = read_conversation(body);
    const std::string text = renderer_->render_text(conversation);
    return WireJson({{"prompt", text}});
  });
}

}  // namespace minke
