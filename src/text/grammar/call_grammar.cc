#include "text/grammar/call_grammar.h"

#include <algorithm>
#include <map>
#include <string_view>

#include "base/core/check.h"
#include "text/grammar/json/rules.h"

namespace minke {
namespace {

const char* const kPlace = "tools";

class CallCompiler {
 public:
  CallCompiler(const CallForm& form, Budget& budget)
      : form_(form), builder_(budget), blanks_(builder_) {}

  Grammar compile(std::span<const CallTool> tools, bool several) {
    const int32_t root = builder_.add_rule("calls");
    const int32_t name = add(builder_.start(root), form_.before);
    const int32_t behind = builder_.add_state();
    bool unique_names = false;
    for (const CallTool& tool : tools) {
      const int32_t arguments = add(builder_.add_text(name, tool.name), form_.middle);
      builder_.add_call(arguments, rule_of(tool.arguments), behind);
      unique_names |= tool.arguments->unique_names();
    }
    if (several) builder_.add_jump(add(behind, form_.between), name);
    builder_.accept(add(behind, form_.after));
    return Grammar(builder_.take(), root, unique_names, kPlace);
  }

 private:
  int32_t add(int32_t from, std::string_view text) {
    constexpr std::string_view kBlank = " \t\r\n";
    while (form_.free_blanks && !text.empty()) {
      const size_t blank = std::min(text.find_first_of(kBlank), text.size());
      from = builder_.add_text(from, text.substr(0, blank));
      text.remove_prefix(blank);
      if (text.empty()) return from;
      from = blanks_.add_blank(from);
      text.remove_prefix(std::min(text.find_first_not_of(kBlank), text.size()));
    }
    return builder_.add_text(from, text);
  }

  // Tools with the same grammar share its rules.
  int32_t rule_of(const std::shared_ptr<const Grammar>& grammar) {
    const auto [it, added] = rules_.try_emplace(grammar.get());
    if (added) it->second = builder_.add_rules(grammar->automaton(), grammar->root());
    return it->second;
  }

  const CallForm& form_;
  AutomatonBuilder builder_;
  JsonRules blanks_;
  std::map<const Grammar*, int32_t> rules_;
};

}  // namespace

std::shared_ptr<const Grammar> compile_calls(const CallForm& form, std::span<const CallTool> tools,
                                             bool several, Budget& budget) {
  CHECK(!tools.empty());
  budget.set_place(kPlace);
  return std::make_shared<const Grammar>(CallCompiler(form, budget).compile(tools, several));
}

}  // namespace minke
