#include "serve/api/turns/reply_constraint.h"

#include <algorithm>
#include <utility>

#include "base/core/error.h"
#include "serve/api/api_errors.h"
#include "serve/api/turns/tool_constraint.h"
#include "text/grammar/grammar.h"
#include "text/grammar/grammar_constraint.h"

namespace minke {
namespace {

constexpr std::string_view kThinkEnd = "</think>";

// Everything until the thinking is closed, then what `answer` allows.
class BehindThinking final : public TokenConstraint {
 public:
  BehindThinking(const Tokenizer& tokenizer, std::vector<int32_t> stop_ids,
                 std::unique_ptr<TokenConstraint> answer)
      : tokenizer_(tokenizer), stop_ids_(std::move(stop_ids)), answer_(std::move(answer)) {}

  void allowed(std::span<uint64_t> bits) override {
    if (!thinking_) return answer_->allowed(bits);
    std::fill(bits.begin(), bits.end(), ~uint64_t{0});
    for (const int32_t id : stop_ids_) {
      bits[static_cast<size_t>(id) / 64] &= ~(uint64_t{1} << (id % 64));
    }
  }
  void accept(int32_t id) override {
    if (!thinking_) return answer_->accept(id);
    text_ += tokenizer_.bytes(id, true);
    thinking_ = text_.find(kThinkEnd) == std::string::npos;
    if (text_.size() > kThinkEnd.size()) text_.erase(0, text_.size() - kThinkEnd.size());
  }

 private:
  const Tokenizer& tokenizer_;
  std::vector<int32_t> stop_ids_;
  std::unique_ptr<TokenConstraint> answer_;
  bool thinking_ = true;
  std::string text_;  // the end of the thinking
};

template <typename Compile>
auto compiled(const char* param, const Compile& compile) {
  try {
    return compile();
  } catch (const Error& error) {
    throw ApiFailure(api_error(400, error.what(), param));
  }
}

std::shared_ptr<const Grammar> format_grammar(const TurnRequest& request) {
  switch (request.format) {
    case TextFormat::kText:
      return nullptr;
    case TextFormat::kJsonObject:
      return compile_json_object();
    case TextFormat::kJsonSchema:
      return compiled("response_format", [&] { return compile_json_schema(request.format_text); });
    case TextFormat::kGrammar:
      return compiled("grammar", [&] { return compile_ebnf(request.format_text); });
  }
  return nullptr;
}

bool is_strict(const TurnRequest& request, size_t tool) {
  return tool < request.strict_tools.size() && request.strict_tools[tool];
}

// The grammar of a tool's arguments. A schema that cannot be kept to is an error for a strict tool;
// other tools then take any object.
std::shared_ptr<const Grammar> arguments_grammar(const TurnRequest& request, size_t tool) {
  const std::string& schema = request.conversation.tools[tool].parameters;
  if (schema.empty()) return compile_json_object();
  const std::string param = "tools[" + std::to_string(tool) + "].function.parameters";
  if (is_strict(request, tool)) {
    return compiled(param.c_str(), [&] { return compile_json_schema(schema); });
  }
  try {
    return compile_json_schema(schema);
  } catch (const Error&) {
    return compile_json_object();
  }
}

std::unique_ptr<TokenConstraint> tool_constraint(const ConstraintParts& parts,
                                                 const TurnRequest& request) {
  const bool required =
      request.tool_choice == ToolChoice::kRequired || request.tool_choice == ToolChoice::kNamed;
  std::vector<CallFrame> frames;
  for (size_t i = 0; i < request.conversation.tools.size(); ++i) {
    const std::string& name = request.conversation.tools[i].name;
    if (request.tool_choice == ToolChoice::kNamed && name != request.named_tool) continue;
    if (!required && !is_strict(request, i)) continue;
    frames.push_back(
        call_frame(*parts.renderer, *parts.tokenizer, name, arguments_grammar(request, i)));
  }
  if (frames.empty()) return nullptr;
  if (required) return std::make_unique<RequiredCall>(std::move(frames), parts.trie);
  return std::make_unique<CheckedCalls>(std::move(frames), parts.trie, *parts.tokenizer);
}

}  // namespace

std::shared_ptr<TokenConstraint> reply_constraint(const ConstraintParts& parts,
                                                  const TurnRequest& request) {
  std::unique_ptr<TokenConstraint> answer;
  if (request.tool_choice != ToolChoice::kNone && !request.conversation.tools.empty()) {
    answer = tool_constraint(parts, request);
  }
  if (const auto grammar = format_grammar(request)) {
    if (answer) {
      throw ApiFailure(api_error(400, "cannot be had together with tools that must be called",
                                 "response_format"));
    }
    answer = std::make_unique<GrammarConstraint>(grammar, parts.trie, *parts.stop_ids);
  }
  if (!answer || !parts.starts_in_thinking) return answer;
  return std::make_shared<BehindThinking>(*parts.tokenizer, *parts.stop_ids, std::move(answer));
}

}  // namespace minke
