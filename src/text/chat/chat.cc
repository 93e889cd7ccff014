#include "text/chat/chat.h"

#include <algorithm>

#include "base/core/error.h"
#include "text/chat/formats.h"
#include "text/chat/json_text.h"
#include "text/chat/prompt.h"

namespace minke {
namespace {

// Throws Error for what no renderer can express.
void check_conversation(const FormatRules& rules, const Conversation& conversation) {
  if (conversation.messages.empty()) fail("messages", "expected at least one message, found none");
  bool uses_tools = !conversation.tools.empty();
  for (const Message& message : conversation.messages) {
    uses_tools |= message.role == Role::kTool || !message.tool_calls.empty();
  }
  if (uses_tools && rules.tools == ToolStyle::kNone) {
    fail("tools", "the model's chat format, {}, has no tool calls", rules.name);
  }
  for (const Tool& tool : conversation.tools) {
    if (!tool.parameters.empty() && !is_json(tool.parameters)) {
      fail("tools", "expected JSON as the parameters of \"{}\", found {}", printable(tool.name),
           printable(tool.parameters));
    }
  }
}

}  // namespace

ChatRenderer::ChatRenderer(ChatTemplate chat_template, const Tokenizer& tokenizer)
    : template_(std::move(chat_template)), tokenizer_(&tokenizer) {
  const FormatRules& rules = format_rules(template_.format);
  const std::string& source = tokenizer.spec().source;
  for (const std::string_view needed : rules.needed) {
    if (!tokenizer.special_id(needed)) {
      fail(source, "chat format {} needs the token {}, which is not in the vocabulary", rules.name,
           needed);
    }
  }
  if (rules.needs_bos && !tokenizer.bos()) {
    fail(source, "chat format {} needs a BOS token, found none", rules.name);
  }
  if (rules.end.empty() && !tokenizer.eos()) {
    fail(source, "chat format {} needs an EOS token, found none", rules.name);
  }
  // Configurations name one of these as EOS; instruction-tuned models may end with the other.
  for (const std::optional<int32_t> id :
       {tokenizer.special_id(rules.end), tokenizer.eos(), tokenizer.special_id("<|endoftext|>"),
        tokenizer.special_id("<|end_of_text|>")}) {
    if (id && std::ranges::find(stop_ids_, *id) == stop_ids_.end()) stop_ids_.push_back(*id);
  }
}

bool ChatRenderer::thinks() const {
  return format_rules(template_.format).thinks;
}

ChatRenderer::Prompt ChatRenderer::render(const Conversation& conversation) const {
  const FormatRules& rules = format_rules(template_.format);
  check_conversation(rules, conversation);
  PromptBuilder builder(*tokenizer_);
  const bool starts_in_thinking = rules.render(template_, conversation, builder);
  return {builder.ids(), starts_in_thinking};
}

std::string ChatRenderer::render_text(const Conversation& conversation) const {
  const FormatRules& rules = format_rules(template_.format);
  check_conversation(rules, conversation);
  PromptBuilder builder(*tokenizer_);
  rules.render(template_, conversation, builder);
  return builder.str();
}

std::vector<int32_t> ChatRenderer::render_reply(const Message& reply,
                                                bool starts_in_thinking) const {
  const FormatRules& rules = format_rules(template_.format);
  PromptBuilder builder(*tokenizer_);
  rules.render_reply(template_, reply, starts_in_thinking, builder);
  if (rules.end.empty()) {
    builder.eos();
  } else {
    builder.control(rules.end);
  }
  return builder.ids();
}

}  // namespace minke
