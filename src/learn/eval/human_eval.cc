#include "learn/eval/human_eval.h"

#include <algorithm>

#include <fmt/core.h>

#include "learn/eval/json_text.h"
#include "learn/eval/python_sandbox.h"

namespace minke {
namespace {

bool is_name(std::string_view text) {
  const auto part = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !text.empty() && (text[0] < '0' || text[0] > '9') && std::ranges::all_of(text, part);
}

// Where the line that `line` is the start of begins in `text`; npos if there is none.
size_t find_line(std::string_view text, std::string_view line) {
  for (size_t at = text.find(line); at != std::string_view::npos; at = text.find(line, at + 1)) {
    if (at == 0 || text[at - 1] == '\n') return at;
  }
  return std::string_view::npos;
}

}  // namespace

std::string_view last_python_block(std::string_view reply) {
  constexpr std::string_view kOpen = "```python\n";
  constexpr std::string_view kClose = "```";
  std::string_view block = reply;
  for (size_t open = find_line(reply, kOpen); open != std::string_view::npos;
       open = find_line(reply, kOpen)) {
    reply.remove_prefix(open + kOpen.size());
    const size_t close = find_line(reply, kClose);
    block = reply.substr(0, close);
    if (close == std::string_view::npos) break;
    reply.remove_prefix(close + kClose.size());
  }
  return block;
}

void read_human_eval(const JsonNode& root, Question& question) {
  const std::string_view prompt = text_of(root, "prompt");
  const JsonNode entry_point = root.need("entry_point");
  const std::string_view name = entry_point.string();
  if (!is_name(name)) entry_point.expected("a name of Python");
  const size_t head = find_line(prompt, fmt::format("def {}(", name));
  if (head == std::string_view::npos) {
    root.need("prompt").expected(fmt::format("a line that begins with \"def {}(\"", name));
  }
  const std::string_view test = text_of(root, "test");
  if (find_line(test, "def check(") == std::string_view::npos) {
    root.need("test").expected("a line that begins with \"def check(\"");
  }
  const bool ended = prompt.ends_with('\n');
  question.text = fmt::format(
      "Complete this Python function. Write the whole function, in a block that begins with "
      "```python and ends with ```.\n\n```python\n{}{}```",
      prompt, ended ? "" : "\n");
  question.expected =
      fmt::format("```python\n{}{}\n```", prompt, text_of(root, "canonical_solution"));
  PythonCheck check{std::string(prompt.substr(0, head)), "", std::string(test), std::string(name)};
  question.accepts = [check = std::move(check)](std::string_view reply) {
    PythonCheck candidate = check;
    candidate.candidate = last_python_block(reply);
    return run_python_check(candidate).end == PythonEnd::kPassed;
  };
}

}  // namespace minke
