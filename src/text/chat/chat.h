#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer/tokenizer.h"

namespace minke {

// A call that the assistant made. `arguments` is a JSON text.
struct ToolCall {
  std::string name;
  std::string arguments;
  bool operator==(const ToolCall&) const = default;
};

// A function that the assistant may call. `parameters` is a JSON Schema text.
struct Tool {
  std::string name;
  std::string description;
  std::string parameters;
};

enum class Role { kSystem, kUser, kAssistant, kTool };

struct Message {
  Role role = Role::kUser;
  std::string content;
  std::string reasoning;             // assistant: its thinking, if kept
  std::vector<ToolCall> tool_calls;  // assistant
};

struct Conversation {
  std::vector<Message> messages;
  std::vector<Tool> tools;
  bool thinking = true;  // for templates with a switch
};

// Prompt formats, described in docs/chat-formats.md.
enum class ChatFormat {
  kDeepSeekV2,   // V2-Chat, V2-Lite-Chat, Coder-V2-Instruct: "User: ...\n\nAssistant:"
  kDeepSeekV25,  // V2.5, V3 (December 2024)
  kDeepSeekV3,   // V3-0324: the Assistant marker closes the user's turn
  kDeepSeekR1,   // R1, R1-0528 and their distills
  kDeepSeekV31,  // V3.1: thinking switch
  kChatMl,       // SmolLM2, Qwen, MiMo-7B
  kLlama3,       // Llama-3-Instruct
};
std::string_view chat_format_name(ChatFormat format);

// A chat template: its format, and what varies between templates of one format, read off its text.
struct ChatTemplate {
  // Where system messages go. kLast: the last one alone, first in the prompt. kJoined: all, first
  // in the prompt, with blank lines between. kInPlace: each where it stands.
  enum class SystemText { kLast, kJoined, kInPlace };

  ChatFormat format = ChatFormat::kChatMl;
  SystemText system = SystemText::kInPlace;
  // ChatML: the system turn of a conversation that brings none; "" for no such turn.
  std::string default_system;
  // What the prompt says after the Assistant marker: "<think>\n" where the reply must think, the
  // pair below for templates with a switch, else "".
  std::string thinking_prefix;
  std::string no_thinking_prefix;
  bool marker_after_user = false;        // DeepSeek: the Assistant marker closes the user's turn
  bool newline_between_results = false;  // DeepSeek: between the results of several tool calls
  bool function_tools_text = false;      // DeepSeek: lists tools as the R1-0528 template does
  bool keeps_reasoning = false;  // ChatML: thinking since the last question stays in the prompt
};

// Recognises the chat template of `spec` by the expressions in its text; nothing is guessed from
// names or vocabularies. Throws Error if there is no template (a base model), or if it is of no
// known format: the message names it by its first line and a hash, and says that raw prompts work.
ChatTemplate detect_chat_template(const TokenizerSpec& spec);

// A piece of a reply.
struct ReplyDelta {
  std::string reasoning;
  std::string content;
  std::vector<ToolCall> tool_calls;  // calls completed by this piece
};

// Splits the streamed ids of a reply into thinking, answer and tool calls. What it has given is
// always valid UTF-8 and final; it holds back only text that may be the start of a marker, blank
// text before the answer, and the inside of a tool call. Never throws on a model's output: a
// malformed tool call is given as content.
class ReplyParser {
 public:
  ReplyParser(const ChatTemplate& chat_template, const Tokenizer& tokenizer,
              std::vector<int32_t> stop_ids, bool starts_in_thinking);
  ~ReplyParser();
  ReplyParser(ReplyParser&&) noexcept;

  // Stop ids may be passed too; they add nothing.
  ReplyDelta add(int32_t id);
  // What was held back. To be called once, after the last add().
  ReplyDelta finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Renders conversations and knows where a reply begins and ends. Control tokens come only from
// here: contents are encoded with Tokenizer::Special::kNone. `tokenizer` must outlive it.
// Immutable; safe to share between threads.
class ChatRenderer {
 public:
  // Throws Error if the tokenizer lacks a token that the format needs.
  ChatRenderer(ChatTemplate chat_template, const Tokenizer& tokenizer);

  struct Prompt {
    std::vector<int32_t> ids;  // the conversation and the start of the assistant's next reply
    bool starts_in_thinking = false;  // the reply begins inside the thinking part
  };
  // Throws Error if there is no message, if tool parameters are not JSON, or if the format has no
  // tools and the conversation uses them.
  Prompt render(const Conversation& conversation) const;
  // The same as text, control tokens spelled out: to read, and to compare with reference templates.
  std::string render_text(const Conversation& conversation) const;
  // What the model is to emit as `reply`, with the token that ends it: a target to train on.
  // A reasoning that the format has no place for is left out.
  std::vector<int32_t> render_reply(const Message& reply, bool starts_in_thinking) const;

  ReplyParser parser(bool starts_in_thinking) const {
    return ReplyParser(template_, *tokenizer_, stop_ids_, starts_in_thinking);
  }
  // Whether replies may have a thinking part.
  bool thinks() const;
  // Tokens that end a reply.
  const std::vector<int32_t>& stop_ids() const { return stop_ids_; }
  const ChatTemplate& chat_template() const { return template_; }

 private:
  ChatTemplate template_;
  const Tokenizer* tokenizer_;
  std::vector<int32_t> stop_ids_;
};

}  // namespace minke
