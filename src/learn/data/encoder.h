#pragma once

#include <optional>
#include <string_view>

#include "learn/data/documents.h"
#include "learn/tasks/task.h"
#include "text/chat/chat.h"

namespace minke {

// Turns texts, conversations and problems into documents. Contents cannot forge control tokens:
// what spells one is ordinary text. Immutable; safe to share between threads.
class DocumentEncoder {
 public:
  // Throws Error if the tokenizer has no EOS. One without BOS, such as Qwen's, leaves it away
  // below. `tokenizer` must outlive this.
  explicit DocumentEncoder(const Tokenizer& tokenizer);

  // BOS, the text, EOS; all tokens count. Throws Error if nothing stands before EOS.
  Document text(std::string_view text) const;

  // One document for each reply of the assistant: the conversation before it, as a model is shown
  // it, and the reply with the token that ends it. Only the reply counts. A document for each,
  // because the thinking of old replies does not stay in prompts. Throws Error if the tokenizer has
  // no chat template, or if there is no reply, or nothing before it.
  std::vector<Document> replies(const Conversation& conversation) const;

  // A problem as a text: BOS, the question, a newline, <think>, a newline, the reasoning, a
  // newline, </think>, a blank line, the answer, EOS. All tokens count. From <think> on these are
  // the tokens of a chat in the format deepseek-r1. Throws Error if the tokenizer lacks <think>.
  Document problem_text(const Problem& problem) const;
  // A problem as a chat of one question and one reply, which counts.
  Document problem_chat(const Problem& problem) const;

  const Tokenizer& tokenizer() const { return *tokenizer_; }

 private:
  const ChatRenderer& chat() const;
  Document reply(const Conversation& before, const Message& reply) const;

  const Tokenizer* tokenizer_;
  std::optional<ChatRenderer> chat_;  // nothing without a chat template
};

}  // namespace minke
