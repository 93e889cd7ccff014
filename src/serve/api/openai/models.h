#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "serve/api/openai/wire.h"
#include "serve/http/server.h"
#include "text/chat/chat.h"
#include "text/tokenizer/tokenizer.h"

namespace minke {

// What /v1/models tells of the model that is served.
struct ModelCard {
  std::string name;
  std::vector<std::string> aliases;
  int64_t created = 0;  // seconds since 1970
  int64_t context = 0;
};

// GET /v1/models: the model, under its name and its aliases.
HttpResponse list_models(const ModelCard& card);
// GET /v1/models/{id}; 404 for others.
HttpResponse get_model(const ModelCard& card, std::string_view id);
// POST /v1/embeddings: 501, language models have no embeddings of texts to give.
HttpResponse refuse_embeddings(const ModelCard& card);

// What a model's texts are made of. Requests and answers have the fields of llama.cpp's server and
// of vLLM, which do not collide. None of the functions throws.
class TextEndpoints {
 public:
  // `renderer` is null for a model without chat template. Both must outlive it.
  TextEndpoints(const Tokenizer& tokenizer, const ChatRenderer* renderer, const ModelCard& card,
                OpenAiOptions options);

  // POST /tokenize. {"content", "add_special" = false, "parse_special" = true, "with_pieces" =
  // false} as for llama.cpp, or {"prompt", "add_special_tokens" = true, "return_token_strs" =
  // false} or {"messages", ...} as for vLLM. Answers {"tokens", "count", "max_model_len"} and
  // "token_strs" if asked for; with pieces, tokens are {"id", "piece"}.
  HttpResponse tokenize(std::string_view body) const;
  // POST /detokenize. {"tokens"}. Answers {"content", "prompt"}, the same text twice.
  HttpResponse detokenize(std::string_view body) const;
  // GET /tokenizer_info, as vLLM's. Answers what a program needs that makes prompts of token ids:
  // {"bos_token", "eos_token", "pad_token", "add_bos_token", "add_eos_token", "model_max_length",
  // "chat_template"}; tokens are their texts, null for none.
  HttpResponse tokenizer_info() const;
  // POST /apply-template. A chat request. Answers {"prompt"}, control tokens spelled out.
  HttpResponse apply_template(std::string_view body) const;

 private:
  Conversation read_conversation(std::string_view body) const;
  WireJson tokenized(std::string_view body) const;

  const Tokenizer* tokenizer_;
  const ChatRenderer* renderer_;
  ModelCard card_;
  OpenAiOptions options_;
};

}  // namespace minke
