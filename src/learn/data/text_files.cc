#include "learn/data/text_files.h"

#include "base/core/error.h"
#include "base/core/json.h"
#include "base/core/mapped_file.h"
#include "base/core/utf8.h"
#include "text/tokenizer/json_node.h"

namespace minke {
namespace {

std::string place(std::string_view file, size_t line) {
  return fmt::format("{}, line {}", file, line);
}

bool is_blank(std::string_view line) {
  return line.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

// Calls `use` with each line, its newline included, and its number from 1, until it gives false.
template <typename Use>
void for_each_line(std::string_view text, const Use& use) {
  for (size_t number = 1; !text.empty(); ++number) {
    const size_t newline = text.find('\n');
    const size_t length = newline == std::string_view::npos ? text.size() : newline + 1;
    if (!use(text.substr(0, length), number)) return;
    text.remove_prefix(length);
  }
}

Role read_role(const JsonNode& node) {
  const std::string_view role = node.string();
  if (role == "system") return Role::kSystem;
  if (role == "user") return Role::kUser;
  if (role != "assistant") node.expected("\"system\", \"user\" or \"assistant\"");
  return Role::kAssistant;
}

Message read_message(const JsonNode& node) {
  Message message;
  message.role = read_role(node.need("role"));
  message.content = node.need("content").string();
  for (const auto key : {"reasoning", "reasoning_content"}) {
    const auto reasoning = node.get(key);
    if (!reasoning) continue;
    message.reasoning = reasoning->string();
    if (message.role != Role::kAssistant && !message.reasoning.empty())
      reasoning->expected("a reasoning of the assistant alone");
  }
  if (const auto calls = node.get("tool_calls"); calls && calls->array().size() > 0)
    calls->expected("no tool calls");
  return message;
}

TextRecord read_record(std::string_view line, const std::string& where) {
  const JsonDocument document = JsonDocument::parse(line, where);
  const JsonNode root(document.root(), where);
  const auto messages = root.get("messages"), text = root.get("text");
  if (messages.has_value() == text.has_value())
    root.expected("an object with either \"text\" or \"messages\"");
  if (text) {
    if (text->string().empty()) text->expected("a text of at least one character");
    return {std::string(text->string()), where};
  }
  Conversation conversation;
  size_t index = 0;
  for (const auto element : messages->array())
    conversation.messages.push_back(read_message(messages->item(element, index++)));
  return {std::move(conversation), where};
}

void read_json_lines(std::string_view text, const std::string& file,
                     const std::function<bool(const TextRecord&)>& use) {
  for_each_line(text, [&](std::string_view line, size_t number) {
    return is_blank(line) || use(read_record(line, place(file, number)));
  });
}

void read_paragraphs(std::string_view text, const std::string& file,
                     const std::function<bool(const TextRecord&)>& use) {
  require_utf8(text, file);
  std::string paragraph;
  size_t first_line = 1;
  bool go_on = true;
  const auto finish = [&] {
    while (paragraph.ends_with('\n') || paragraph.ends_with('\r')) paragraph.pop_back();
    if (!paragraph.empty()) go_on = use({std::move(paragraph), place(file, first_line)});
    paragraph.clear();
    return go_on;
  };
  for_each_line(text, [&](std::string_view line, size_t number) {
    if (is_blank(line)) return finish();
    if (paragraph.empty()) first_line = number;
    paragraph += line;
    return true;
  });
  if (go_on) finish();
}

}  // namespace

void read_texts(const std::filesystem::path& path,
                const std::function<bool(const TextRecord&)>& use) {
  const auto file = MappedFile::open(path);
  const std::string_view text(reinterpret_cast<const char*>(file->bytes().data()),
                              file->bytes().size());
  if (path.extension() == ".jsonl") {
    read_json_lines(text, file->name(), use);
  } else {
    read_paragraphs(text, file->name(), use);
  }
}

std::string plain_text(const TextRecord& record) {
  if (const auto* text = std::get_if<std::string>(&record.content)) return *text;
  std::string all;
  for (const Message& message : std::get<Conversation>(record.content).messages) {
    for (const std::string& part : {message.reasoning, message.content}) {
      if (!part.empty()) all += part + "\n";
    }
  }
  return all;
}

}  // namespace minke
