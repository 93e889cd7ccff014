#include "learn/data/encoder.h"

#include "base/core/error.h"

namespace minke {
namespace {

std::optional<ChatRenderer> renderer_of(const Tokenizer& tokenizer) {
  if (tokenizer.spec().chat_template.empty()) return std::nullopt;
  return ChatRenderer(detect_chat_template(tokenizer.spec()), tokenizer);
}

void append(std::vector<int32_t>& ids, const std::vector<int32_t>& more) {
  ids.insert(ids.end(), more.begin(), more.end());
}

}  // namespace

DocumentEncoder::DocumentEncoder(const Tokenizer& tokenizer)
    : tokenizer_(&tokenizer), chat_(renderer_of(tokenizer)) {
  if (!tokenizer.eos()) {
    fail(tokenizer.spec().source, "expected an EOS token for training data, found no EOS");
  }
}

const ChatRenderer& DocumentEncoder::chat() const {
  if (!chat_) fail(tokenizer_->spec().source, "expected a chat template for chats, found none");
  return *chat_;
}

Document DocumentEncoder::text(std::string_view text) const {
  Document document;
  if (const auto bos = tokenizer_->bos()) document.tokens.push_back(*bos);
  append(document.tokens, tokenizer_->encode(text));
  document.tokens.push_back(*tokenizer_->eos());
  if (document.tokens.size() < 2) fail("text", "expected at least one token, found none");
  document.loss_end = document.tokens.size();
  return document;
}

Document DocumentEncoder::reply(const Conversation& before, const Message& reply) const {
  const ChatRenderer::Prompt prompt = chat().render(before);
  Document document{.tokens = prompt.ids};
  document.loss_begin = document.tokens.size();
  append(document.tokens, chat().render_reply(reply, prompt.starts_in_thinking));
  document.loss_end = document.tokens.size();
  return document;
}

std::vector<Document> DocumentEncoder::replies(const Conversation& conversation) const {
  std::vector<Document> documents;
  Conversation before = conversation;
  before.messages.clear();
  for (const Message& message : conversation.messages) {
    if (message.role == Role::kAssistant) {
      if (before.messages.empty()) fail("messages", "expected a message before the first reply");
      documents.push_back(reply(before, message));
    }
    before.messages.push_back(message);
  }
  if (documents.empty()) fail("messages", "expected a message of the assistant, found none");
  return documents;
}

Document DocumentEncoder::problem_text(const Problem& problem) const {
  const auto begin = tokenizer_->special_id("<think>"), end = tokenizer_->special_id("</think>");
  if (!begin || !end) {
    fail(tokenizer_->spec().source, "expected the tokens <think> and </think>, found no {}",
         begin ? "</think>" : "<think>");
  }
  Document document;
  std::vector<int32_t>& ids = document.tokens;
  if (const auto bos = tokenizer_->bos()) ids.push_back(*bos);
  append(ids, tokenizer_->encode(problem.question + "\n"));
  ids.push_back(*begin);
  // Apart from the reasoning, as where a prompt ends with it.
  append(ids, tokenizer_->encode("\n"));
  append(ids, tokenizer_->encode(problem.reasoning + "\n"));
  ids.push_back(*end);
  append(ids, tokenizer_->encode("\n\n" + problem.answer));
  ids.push_back(*tokenizer_->eos());
  document.loss_end = ids.size();
  return document;
}

Document DocumentEncoder::problem_chat(const Problem& problem) const {
  Conversation question;
  question.messages.emplace_back().content = problem.question;
  Message answer;
  answer.role = Role::kAssistant;
  answer.content = problem.answer;
  answer.reasoning = problem.reasoning;
  return reply(question, answer);
}

}  // namespace minke
