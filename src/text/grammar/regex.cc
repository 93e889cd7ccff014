#include "text/grammar/regex.h"

#include <optional>
#include <utility>

#include "base/core/error.h"
#include "text/grammar/expression.h"

namespace minke {
namespace {

using Kind = Expression::Kind;

CodePointSet digits() {
  return {'0', '9'};
}

CodePointSet word_characters() {
  CodePointSet set = digits();
  set.add('A', 'Z');
  set.add('a', 'z');
  set.add('_', '_');
  return set;
}

// WhiteSpace and LineTerminator of ECMA-262.
CodePointSet spaces() {
  CodePointSet set{'\t', '\r'};
  for (const char32_t c : {0x20, 0xa0, 0x1680, 0x202f, 0x205f, 0x3000, 0xfeff}) set.add(c, c);
  set.add(0x2000, 0x200a);
  set.add(0x2028, 0x2029);
  return set;
}

CodePointSet but_line_ends() {
  CodePointSet set{'\n', '\n'};
  set.add('\r', '\r');
  set.add(0x2028, 0x2029);
  return set.complement();
}

class RegexParser {
 public:
  RegexParser(std::string_view pattern, Expression& out, Budget& budget)
      : reader_(pattern, budget.place()), out_(out), budget_(budget) {}

  int32_t parse() {
    const int32_t node = choice(0);
    if (!reader_.done()) reader_.expected("an opening parenthesis for it");
    return node;
  }

 private:
  int32_t choice(int depth) {
    budget_.check_depth(depth);
    std::vector<int32_t> branches{sequence(depth)};
    while (reader_.take_if('|')) branches.push_back(sequence(depth));
    return out_.choice(std::move(branches));
  }

  int32_t sequence(int depth) {
    std::vector<int32_t> items;
    while (!reader_.done() && reader_.peek() != '|' && reader_.peek() != ')') {
      items.push_back(quantified(depth));
    }
    return out_.sequence(std::move(items));
  }

  int32_t quantified(int depth) {
    const int32_t atom = this->atom(depth);
    const auto bounds = reader_.take_quantifier();
    if (!bounds) return atom;
    if (out_[atom].kind == Kind::kStart || out_[atom].kind == Kind::kEnd) {
      reader_.expected("no quantifier behind an anchor");
    }
    reader_.take_if('?');  // lazy: finds other matches, but in the same texts
    return out_.repeat(atom, bounds->first, bounds->second);
  }

  int32_t atom(int depth) {
    switch (reader_.peek()) {
      case '^':
        reader_.take();
        return out_.start();
      case '$':
        reader_.take();
        return out_.end();
      case '.':
        reader_.take();
        return out_.characters(but_line_ends());
      case '(':
        return group(depth);
      case '[':
        reader_.take();
        return out_.characters(char_class());
      case '\\':
        reader_.take();
        return out_.characters(escaped(false));
      case '*':
      case '+':
      case '?':
      case '{':
      case '}':
      case ']':
        reader_.expected("a character or a group");
      default: {
        const char32_t c = reader_.take();
        return out_.characters({c, c});
      }
    }
  }

  int32_t group(int depth) {
    reader_.take();
    if (reader_.take_if('?')) {
      const bool named = reader_.peek() == '<' && reader_.peek(1) != '=' && reader_.peek(1) != '!';
      if (named) {
        while (!reader_.done() && reader_.peek() != '>') reader_.take();
        if (!reader_.take_if('>')) reader_.expected("the end of the group's name");
      } else if (!reader_.take_if(':')) {
        reader_.expected("\":\" (assertions are not supported)");
      }
    }
    const int32_t node = choice(depth + 1);
    if (!reader_.take_if(')')) reader_.expected("\")\"");
    return node;
  }

  CodePointSet char_class() {
    const bool negated = reader_.take_if('^');
    CodePointSet set;
    while (!reader_.take_if(']')) {
      if (reader_.done()) reader_.expected("\"]\"");
      const CodePointSet first = class_item();
      if (reader_.peek() == '-' && reader_.peek(1) != ']') {
        reader_.take();
        if (reader_.done()) reader_.expected("the end of a range");
        const CodePointSet last = class_item();
        set.add(single(first), single(last));
        if (single(first) > single(last)) reader_.expected("a range in rising order before it");
      } else {
        set.add(first);
      }
      budget_.spend(1 + static_cast<int64_t>(set.ranges().size()));
    }
    return negated ? set.complement() : set;
  }

  CodePointSet class_item() {
    if (reader_.take_if('\\')) return escaped(true);
    const char32_t c = reader_.take();
    return {c, c};
  }

  char32_t single(const CodePointSet& set) {
    if (set.ranges().size() != 1 || set.ranges()[0].first != set.ranges()[0].second) {
      reader_.expected("a single character at both ends of the range before it");
    }
    return set.ranges()[0].first;
  }

  // What stands behind a backslash.
  CodePointSet escaped(bool in_class) {
    switch (reader_.peek()) {
      case 'd':
        return reader_.take(), digits();
      case 'D':
        return reader_.take(), digits().complement();
      case 'w':
        return reader_.take(), word_characters();
      case 'W':
        return reader_.take(), word_characters().complement();
      case 's':
        return reader_.take(), spaces();
      case 'S':
        return reader_.take(), spaces().complement();
      default:
        break;
    }
    const char32_t c = escaped_character(in_class);
    const CodePointSet set{c, c};
    if (set.empty()) reader_.expected("a code point that is not half of a pair before it");
    return set;
  }

  char32_t escaped_character(bool in_class) {
    // Flag u allows fewer of these, but none has a meaning without it.
    constexpr std::string_view kSyntax = "^$\\.*+?()[]{}|/-!\"#%&',:;<=>@`~ ";
    constexpr std::string_view kControls = "t\tn\nv\vf\fr\r";
    const char32_t c = reader_.peek();
    if (c < 0x80) {
      const char ascii = static_cast<char>(c);
      if (kSyntax.find(ascii) != std::string_view::npos) return reader_.take();
      for (size_t i = 0; i < kControls.size(); i += 2) {
        if (kControls[i] == ascii) return reader_.take(), static_cast<char32_t>(kControls[i + 1]);
      }
    }
    if (in_class && reader_.take_if('b')) return '\b';
    if (c == '0' && !(reader_.peek(1) >= '0' && reader_.peek(1) <= '9')) return reader_.take(), 0;
    if (reader_.take_if('x')) return reader_.take_hex(2);
    if (reader_.take_if('u')) return unicode();
    if (c == 'c') {
      const char32_t letter = reader_.peek(1);
      if ((letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z')) {
        reader_.take();
        return reader_.take() % 32;
      }
    }
    reader_.expected(
        "an escape of a character, or one of \\d \\w \\s \\D \\W \\S (\\b, \\p and back references "
        "are not supported)");
  }

  char32_t unicode() {
    if (reader_.take_if('{')) {
      char32_t value = 0;
      do {
        value = value << 4 | reader_.take_hex(1);
        if (value > 0x10ffff) reader_.expected("a code point up to 10FFFF");
      } while (!reader_.take_if('}'));
      return value;
    }
    const char32_t high = reader_.take_hex(4);
    if (high >= 0xd800 && high < 0xdc00 && reader_.take_if("\\u")) {
      const char32_t low = reader_.take_hex(4);
      if (low < 0xdc00 || low >= 0xe000) reader_.expected("the second half of a pair before it");
      return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
    }
    return high;
  }

  CharacterReader reader_;
  Expression& out_;
  Budget& budget_;
};

// Turns a search into a match of the whole text: where nothing holds a match to an end, anything
// may stand before or behind it.
class Anchoring {
 public:
  Anchoring(Expression& expression, std::string_view place)
      : e_(expression),
        place_(place),
        anything_(e_.repeat(e_.characters(CodePointSet::any()), 0, Expression::kUnlimited)) {}

  // `first` and `last`: `node` stands where the match begins and where it ends.
  int32_t anchored(int32_t node, bool first, bool last) {
    if (!first && !last && !has_anchor(node)) return node;
    const Kind kind = e_[node].kind;
    if ((kind == Kind::kStart && !first) || (kind == Kind::kEnd && !last)) refuse();
    if (kind == Kind::kStart) return last ? anything_ : empty();
    if (kind == Kind::kEnd) return first ? anything_ : empty();
    if (kind == Kind::kChoice) return choice(node, first, last);
    if (kind == Kind::kSequence && !e_[node].children.empty()) return sequence(node, first, last);
    if (has_anchor(node)) refuse();
    std::vector<int32_t> parts;
    if (first) parts.push_back(anything_);
    parts.push_back(node);
    if (last) parts.push_back(anything_);
    return e_.sequence(std::move(parts));
  }

 private:
  int32_t empty() { return e_.sequence({}); }

  int32_t choice(int32_t node, bool first, bool last) {
    std::vector<int32_t> branches = e_[node].children;
    for (int32_t& branch : branches) branch = anchored(branch, first, last);
    return e_.choice(std::move(branches));
  }

  int32_t sequence(int32_t node, bool first, bool last) {
    const std::vector<int32_t> items = e_[node].children;
    size_t begin = 0, end = items.size();
    // An anchor at an end of the sequence is met by leaving out what would stand beyond it.
    while (first && begin < end && e_[items[begin]].kind == Kind::kStart) ++begin;
    while (last && end > begin && e_[items[end - 1]].kind == Kind::kEnd) --end;
    const bool open_first = first && begin == 0, open_last = last && end == items.size();
    if (begin == end) return open_first || open_last ? anything_ : empty();
    std::vector<int32_t> parts;
    for (size_t i = begin; i < end; ++i) {
      parts.push_back(anchored(items[i], open_first && i == begin, open_last && i + 1 == end));
    }
    return e_.sequence(std::move(parts));
  }

  bool has_anchor(int32_t node) const {
    const Expression::Node& n = e_[node];
    if (n.kind == Kind::kStart || n.kind == Kind::kEnd) return true;
    for (const int32_t child : n.children) {
      if (has_anchor(child)) return true;
    }
    return false;
  }

  [[noreturn]] void refuse() const {
    fail(place_, "expected ^ only where a match begins and $ only where it ends, found one inside");
  }

  Expression& e_;
  std::string_view place_;
  int32_t anything_;
};

}  // namespace

Dfa compile_regex(std::string_view pattern, Spelling spelling, Budget& budget) {
  budget.check_text(pattern.size());
  Expression expression;
  const int32_t parsed = RegexParser(pattern, expression, budget).parse();
  const int32_t whole = Anchoring(expression, budget.place()).anchored(parsed, true, true);
  AutomatonBuilder builder(budget);
  const int32_t from = builder.add_state(), to = builder.add_state();
  builder.accept(to);
  add_expression(builder, expression, whole, from, to, spelling);
  return determinise(builder.automaton(), from, budget);
}

}  // namespace minke
