#include "apps/reply.h"

#include <fmt/core.h>

#include "apps/about.h"
#include "text/tokenizer/drawable_ids.h"

namespace minke {

Message message(Role role, std::string content) {
  Message m;
  m.role = role;
  m.content = std::move(content);
  return m;
}

GenerationOptions generation_options(const Bundle& bundle, const ChatRenderer* renderer,
                                     const SamplingOptions& sampling, int64_t max_tokens) {
  const Tokenizer& tokenizer = bundle.require_tokenizer();
  GenerationOptions options;
  options.sampling = sampling;
  options.max_tokens = max_tokens;
  options.stop_ids = bundle.defaults.stop_ids;
  if (const auto eos = tokenizer.eos()) options.stop_ids.push_back(*eos);
  if (renderer != nullptr) {
    const auto& ids = renderer->stop_ids();
    options.stop_ids.insert(options.stop_ids.end(), ids.begin(), ids.end());
  }
  options.allowed = drawable_ids(tokenizer, bundle.model->facts().vocab);
  return options;
}

ReplyDelta ReplyReader::add(int32_t id) {
  if (parser_) return kept(parser_->add(id));
  ReplyDelta delta;
  delta.content = decoder_.add(id);
  return kept(std::move(delta));
}

ReplyDelta ReplyReader::finish() {
  if (parser_) return kept(parser_->finish());
  ReplyDelta delta;
  delta.content = decoder_.finish();
  return kept(std::move(delta));
}

ReplyDelta ReplyReader::kept(ReplyDelta delta) {
  reply_.reasoning += delta.reasoning;
  reply_.content += delta.content;
  for (const ToolCall& call : delta.tool_calls) reply_.tool_calls.push_back(call);
  return delta;
}

void ReplyPrinter::put(std::string_view text, bool dim) {
  if (text.empty()) return;
  line_open_ = text.back() != '\n';
  // The model's own escape sequences must not reach a terminal. Each piece is styled by itself, so
  // that the terminal is left in order wherever the program ends.
  const std::string safe = console_.out_is_terminal() ? without_controls(text) : std::string(text);
  console_.write(dim ? "\033[2m" + safe + "\033[22m" : safe);
}

void ReplyPrinter::enter(Part part) {
  if (part_ == part) return;
  const bool markers = !console_.styled();
  if (part_ == Part::kReasoning) {
    if (line_open_) put("\n", false);
    if (markers) put("</think>\n", false);
    if (part != Part::kNone) put("\n", false);
  } else if (part_ == Part::kAnswer && line_open_) {
    put("\n", false);
  }
  if (part == Part::kReasoning && markers) put("<think>\n", false);
  part_ = part;
}

void ReplyPrinter::print(const ReplyDelta& delta) {
  if (!delta.reasoning.empty()) {
    enter(Part::kReasoning);
    put(delta.reasoning, console_.styled());
  }
  if (!delta.content.empty()) {
    enter(Part::kAnswer);
    put(delta.content, false);
  }
  for (const ToolCall& call : delta.tool_calls) {
    enter(Part::kAnswer);
    if (line_open_) put("\n", false);
    put(fmt::format("tool call: {} {}\n", call.name, call.arguments), false);
  }
  console_.flush();
}

void ReplyPrinter::finish() {
  if (part_ == Part::kReasoning) enter(Part::kNone);
  if (line_open_) put("\n", false);
  console_.flush();
}

std::string_view finish_reason_name(FinishReason reason) {
  switch (reason) {
    case FinishReason::kStop:
      return "stop";
    case FinishReason::kLength:
      return "length";
    case FinishReason::kCancelled:
      return "cancelled";
  }
  return "unknown";
}

double rate(int64_t tokens, double seconds) {
  return seconds > 0 ? static_cast<double>(tokens) / seconds : 0;
}

std::string in_words(const GenerationResult& r) {
  const int64_t computed = r.prompt_tokens - r.reused_tokens;
  return fmt::format("{} prompt tokens in {} s ({}/s), {} tokens in {} s ({}/s)", computed,
                     human_number(r.prefill_seconds),
                     human_number(rate(computed, r.prefill_seconds)), r.generated_tokens,
                     human_number(r.decode_seconds),
                     human_number(rate(r.generated_tokens, r.decode_seconds)));
}

}  // namespace minke
