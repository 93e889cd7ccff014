#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "base/core/error.h"
#include "text/grammar/expression.h"
#include "text/grammar/grammar.h"

namespace minke {
namespace {

const char* const kPlace = "grammar";

bool is_letter(char32_t c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_name(char32_t c) {
  return is_letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

bool is_blank(char32_t c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

// Rules as in `name ::= ...`. A rule ends where the next one begins, so lines may be broken
// anywhere.
class EbnfParser {
 public:
  EbnfParser(std::string_view text, Budget& budget)
      : reader_(text, kPlace), budget_(budget), builder_(budget) {}

  Grammar parse() {
    skip_blank();
    while (!reader_.done()) rule();
    for (const auto& [name, entry] : rules_) {
      if (!entry.body) fail(kPlace, "expected a rule \"{}\", found none of this name", name);
    }
    const auto root = rules_.find("root");
    if (root == rules_.end()) fail(kPlace, "expected a rule \"root\", found none of this name");
    for (const auto& [name, entry] : rules_) {
      budget_.set_place(fmt::format("{}: rule \"{}\"", kPlace, name));
      const int32_t end = builder_.add_state();
      builder_.accept(end);
      add_expression(builder_, expression_, *entry.body, builder_.start(entry.rule), end,
                     Spelling::kPlain);
    }
    return Grammar(builder_.take(), root->second.rule, false, kPlace);
  }

 private:
  struct Entry {
    int32_t rule = 0;
    std::optional<int32_t> body;
  };

  void skip_blank() {
    for (;;) {
      const char32_t c = reader_.peek();
      if (c == '#') {
        while (!reader_.done() && reader_.peek() != '\n') reader_.take();
      } else if (is_blank(c)) {
        reader_.take();
      } else {
        return;
      }
    }
  }

  std::string name() {
    if (!is_letter(reader_.peek())) reader_.expected("the name of a rule");
    std::string out;
    while (is_name(reader_.peek())) out += static_cast<char>(reader_.take());
    return out;
  }

  Entry& entry(const std::string& name) {
    const auto [it, added] = rules_.try_emplace(name);
    if (added) it->second.rule = builder_.add_rule(name);
    return it->second;
  }

  void rule() {
    const std::string name = this->name();
    skip_blank();
    if (!reader_.take_if("::=")) reader_.expected("\"::=\"");
    skip_blank();
    if (entry(name).body) {
      fail(kPlace, "expected each rule once, found \"{}\" twice", printable(name));
    }
    const int32_t body = choice(0);
    entry(name).body = body;
    if (!reader_.done() && !at_rule()) reader_.expected("the next rule");
  }

  // Whether `name ::=` comes next.
  bool at_rule() {
    size_t i = 0;
    if (!is_letter(reader_.peek())) return false;
    while (is_name(reader_.peek(i))) ++i;
    while (is_blank(reader_.peek(i))) ++i;
    return reader_.peek(i) == ':' && reader_.peek(i + 1) == ':' && reader_.peek(i + 2) == '=';
  }

  int32_t choice(int depth) {
    budget_.check_depth(depth);
    std::vector<int32_t> branches{sequence(depth)};
    while (reader_.take_if('|')) {
      skip_blank();
      branches.push_back(sequence(depth));
    }
    return expression_.choice(std::move(branches));
  }

  int32_t sequence(int depth) {
    std::vector<int32_t> items;
    while (!reader_.done() && reader_.peek() != '|' && reader_.peek() != ')' && !at_rule()) {
      items.push_back(quantified(depth));
    }
    return expression_.sequence(std::move(items));
  }

  int32_t quantified(int depth) {
    const int32_t item = this->item(depth);
    skip_blank();
    const auto bounds = reader_.take_quantifier();
    skip_blank();
    return bounds ? expression_.repeat(item, bounds->first, bounds->second) : item;
  }

  int32_t item(int depth) {
    const char32_t c = reader_.peek();
    if (reader_.take_if('"')) return literal();
    if (reader_.take_if('[')) return expression_.characters(char_class());
    if (reader_.take_if('.')) return expression_.characters(CodePointSet::any());
    if (reader_.take_if('(')) {
      skip_blank();
      const int32_t group = choice(depth + 1);
      if (!reader_.take_if(')')) reader_.expected("\")\"");
      return group;
    }
    if (!is_letter(c)) reader_.expected("a literal, a class, a group or the name of a rule");
    return expression_.call(entry(name()).rule);
  }

  int32_t literal() {
    std::vector<int32_t> characters;
    while (!reader_.take_if('"')) {
      const char32_t c = character();
      characters.push_back(expression_.characters({c, c}));
    }
    return expression_.sequence(std::move(characters));
  }

  CodePointSet char_class() {
    const bool negated = reader_.take_if('^');
    CodePointSet set;
    while (!reader_.take_if(']')) {
      const char32_t first = character();
      char32_t last = first;
      if (reader_.peek() == '-' && reader_.peek(1) != ']') {
        reader_.take();
        last = character();
        if (first > last) reader_.expected("a range in rising order before it");
      }
      set.add(first, last);
      budget_.spend(1 + static_cast<int64_t>(set.ranges().size()));
    }
    if (set.empty()) reader_.expected("characters in the class before it");
    return negated ? set.complement() : set;
  }

  char32_t character() {
    if (reader_.done()) reader_.expected("the end of a literal or class");
    if (!reader_.take_if('\\')) return reader_.take();
    char32_t c = reader_.peek();
    switch (c) {
      case 'n':
        return reader_.take(), '\n';
      case 'r':
        return reader_.take(), '\r';
      case 't':
        return reader_.take(), '\t';
      case 'x':
        return reader_.take(), reader_.take_hex(2);
      case 'u':
        reader_.take();
        c = reader_.take_hex(4);
        break;
      case 'U':
        reader_.take();
        c = reader_.take_hex(8);
        break;
      case '"':
      case '\\':
      case '[':
      case ']':
      case '-':
      case '^':
        return reader_.take();
      default:
        reader_.expected("one of \\n \\r \\t \\x \\u \\U \\\" \\\\ \\[ \\] \\- \\^");
    }
    if (c > 0x10ffff || (c >= 0xd800 && c < 0xe000)) reader_.expected("a code point before it");
    return c;
  }

  CharacterReader reader_;
  Budget& budget_;
  AutomatonBuilder builder_;
  Expression expression_;
  std::map<std::string, Entry> rules_;
};

// Where the jumps of states that do nothing else lead.
int32_t behind_links(const Automaton& automaton, int32_t place) {
  for (size_t links = 0; links < automaton.states.size(); ++links) {
    const Automaton::State& state = automaton.states[static_cast<size_t>(place)];
    const bool link = state.edges.empty() && !state.accept && state.jumps.size() == 1 &&
                      state.jumps[0].rule == Automaton::kNoRule;
    if (!link) break;
    place = state.jumps[0].target;
  }
  return place;
}

// Spends a step for each place that can be reached before a byte, from wherever a byte or the end
// of a rule leads. Where optional parts follow one another these are all parts that are left: the
// work for each byte of a text grows with their number, and what is spent here with its square.
void spend_on_followed(const Grammar& grammar, Budget& budget) {
  const Automaton& automaton = grammar.automaton();
  std::vector<bool> entered(automaton.states.size());
  for (const Automaton::State& state : automaton.states) {
    for (const ByteEdge& edge : state.edges) {
      entered[static_cast<size_t>(behind_links(automaton, edge.target))] = true;
    }
    for (const Automaton::Jump& jump : state.jumps) {
      if (jump.rule == Automaton::kNoRule) continue;
      entered[static_cast<size_t>(behind_links(automaton, jump.target))] = true;
    }
  }
  std::vector<size_t> seen(automaton.states.size(), automaton.states.size()), open;
  budget.set_place(std::string(kPlace) + ": optional parts in sequence");
  for (size_t place = 0; place < entered.size(); ++place) {
    if (entered[place]) open.push_back(place);
    while (!open.empty()) {
      const size_t at = open.back();
      open.pop_back();
      if (seen[at] == place) continue;
      seen[at] = place;
      budget.spend(1);
      for (const Automaton::Jump& jump : automaton.states[at].jumps) {
        if (jump.rule != Automaton::kNoRule) {
          open.push_back(
              static_cast<size_t>(automaton.rules[static_cast<size_t>(jump.rule)].start));
          if (!grammar.is_nullable(jump.rule)) continue;
        }
        open.push_back(static_cast<size_t>(jump.target));
      }
    }
  }
}

}  // namespace

std::shared_ptr<const Grammar> compile_ebnf(std::string_view text, const GrammarLimits& limits) {
  Budget budget(limits);
  return compile_ebnf(text, budget);
}

std::shared_ptr<const Grammar> compile_ebnf(std::string_view text, Budget& budget) {
  budget.set_place(kPlace);
  budget.check_text(text.size());
  auto grammar = std::make_shared<const Grammar>(EbnfParser(text, budget).parse());
  spend_on_followed(*grammar, budget);
  return grammar;
}

}  // namespace minke
