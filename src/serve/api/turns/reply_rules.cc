#include "serve/api/turns/reply_rules.h"

#include <algorithm>
#include <string>
#include <unordered_map>

#include <fmt/core.h>

#include "base/core/error.h"
#include "serve/api/api_errors.h"
#include "serve/api/turns/call_forms.h"

namespace minke {
namespace {

// Kept for what must be compiled when the schemas of tools that are not strict have used the rest.
constexpr int64_t kKeptSteps = 1'000'000;

template <typename Compile>
auto compiled(const std::string& param, const Compile& compile) {
  try {
    return compile();
  } catch (const Error& error) {
    throw ApiFailure(api_error(400, error.what(), param));
  }
}

std::shared_ptr<const Grammar> format_grammar(const TurnRequest& request, Budget& budget) {
  switch (request.format) {
    case TextFormat::kText:
      return nullptr;
    case TextFormat::kJsonObject:
      return compile_json_object();
    case TextFormat::kJsonSchema:
      return compiled("response_format",
                      [&] { return compile_json_schema(request.format_text, budget); });
    case TextFormat::kGrammar:
      return compiled("grammar", [&] { return compile_ebnf(request.format_text, budget); });
  }
  return nullptr;
}

// The grammars of the arguments of a request's tools.
class ToolGrammars {
 public:
  ToolGrammars(const TurnRequest& request, Budget& budget) : request_(request), budget_(budget) {}

  bool is_strict(size_t tool) const {
    return tool < request_.strict_tools.size() && request_.strict_tools[tool];
  }
  // Those that may be called, strict ones first.
  std::vector<CallTool> all() {
    std::vector<CallTool> out;
    for (const bool strict : {true, false}) {
      for (size_t i = 0; i < request_.conversation.tools.size(); ++i) {
        const Tool& tool = request_.conversation.tools[i];
        const bool named = request_.tool_choice == ToolChoice::kNamed;
        if (is_strict(i) != strict || (named && tool.name != request_.named_tool)) continue;
        out.push_back({tool.name, strict ? strict_grammar(i) : loose_grammar(tool.parameters)});
      }
    }
    return out;
  }

 private:
  std::shared_ptr<const Grammar> any_object() {
    if (!any_object_) any_object_ = compile_json_object();
    return any_object_;
  }
  // A schema that cannot be kept to is an error.
  std::shared_ptr<const Grammar> strict_grammar(size_t tool) {
    const std::string& schema = request_.conversation.tools[tool].parameters;
    if (schema.empty()) return any_object();
    std::shared_ptr<const Grammar>& known = strict_[schema];
    if (!known) {
      known = compiled(fmt::format("tools[{}].function.parameters", tool), [&] {
        auto grammar = compile_json_schema(schema, budget_);
        states_ += grammar->automaton().states.size();
        budget_.check_states(states_);  // they end up in one grammar
        return grammar;
      });
    }
    return known;
  }
  // Any object where the schema cannot be kept to, or where it takes what strict ones may need.
  std::shared_ptr<const Grammar> loose_grammar(const std::string& schema) {
    if (schema.empty()) return any_object();
    std::shared_ptr<const Grammar>& known = loose_[schema];
    if (known) return known;
    known = any_object();
    GrammarLimits limits = budget_.limits();
    limits.max_steps = std::max<int64_t>(budget_.steps_left() - kKeptSteps, 0);
    Budget share(limits);
    try {
      const auto grammar = compile_json_schema(schema, share);
      const size_t states = states_ + grammar->automaton().states.size();
      if (states <= static_cast<size_t>(limits.max_states) / 2) {
        states_ = states;
        known = grammar;
      }
    } catch (const Error&) {
      // No more than a hint to the model, then.
    }
    budget_.spend(limits.max_steps - std::max<int64_t>(share.steps_left(), 0));
    return known;
  }

  const TurnRequest& request_;
  Budget& budget_;
  std::shared_ptr<const Grammar> any_object_;
  std::unordered_map<std::string, std::shared_ptr<const Grammar>> strict_, loose_;  // by schema
  size_t states_ = 0;
};

void add_calls(const ReplyParts& parts, const TurnRequest& request, Budget& budget,
               ReplyRules& rules) {
  ToolGrammars grammars(request, budget);
  const bool required =
      request.tool_choice == ToolChoice::kRequired || request.tool_choice == ToolChoice::kNamed;
  if (!required && !rules.format) {
    const size_t count = request.conversation.tools.size();
    bool strict = false;
    for (size_t i = 0; i < count; ++i) strict = strict || grammars.is_strict(i);
    if (!strict) return;
  }
  const std::vector<CallTool> tools = grammars.all();
  if (tools.empty()) return;
  const CallForms forms = call_forms(*parts.renderer, *parts.vocabulary);
  compiled("tools", [&] {
    if (required) {
      rules.calls = compile_calls(forms.reply, tools, false, budget);
      rules.format = nullptr;
    } else if (rules.format) {
      rules.calls = compile_calls(forms.reply, tools, request.parallel_tools, budget);
    } else {
      rules.inside = compile_calls(forms.inside, tools, false, budget);
    }
    return 0;
  });
}

}  // namespace

std::shared_ptr<const ReplyRules> reply_rules(const ReplyParts& parts, const TurnRequest& request,
                                              const GrammarLimits& limits) {
  auto rules = std::make_shared<ReplyRules>();
  rules->vocabulary = parts.vocabulary;
  rules->stop_ids = parts.stop_ids;
  rules->starts_in_thinking = parts.starts_in_thinking;
  rules->min_tokens = request.min_tokens;
  rules->ignore_stop = request.ignore_stop;
  Budget budget(limits);
  rules->format = format_grammar(request, budget);
  rules->format_is_json = request.format != TextFormat::kGrammar;
  if (request.tool_choice != ToolChoice::kNone && !request.conversation.tools.empty()) {
    add_calls(parts, request, budget, *rules);
  }
  if (!rules->format && !rules->calls && !rules->inside) return nullptr;
  return rules;
}

}  // namespace minke
