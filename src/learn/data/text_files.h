#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <variant>

#include "text/chat/chat.h"

namespace minke {

// What a file of texts holds at one place.
struct TextRecord {
  std::variant<std::string, Conversation> content;  // a text of at least one character, or a chat
  std::string where;                                // "corpus.jsonl, line 3"
};

// Calls `use` for each record of a file, in order, until it gives false.
//
// *.jsonl: a JSON object a line, {"text": "..."} or {"messages": [{"role": "system", "user" or
// "assistant", "content": "...", "reasoning": "..."}, ...]}; the reasoning, of the assistant alone,
// may be absent and may be called reasoning_content. Other members are not read; blank lines are
// passed over.
//
// Any other name: UTF-8 text, in which blank lines divide the texts.
//
// Throws Error that names the file and the line for anything else up to there.
void read_texts(const std::filesystem::path& path,
                const std::function<bool(const TextRecord&)>& use);

// All that `record` says, in one text; for what looks at words alone.
std::string plain_text(const TextRecord& record);

}  // namespace minke
