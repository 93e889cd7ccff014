#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "text/grammar/automaton.h"
#include "text/grammar/code_points.h"

namespace minke {

// What patterns and rules are parsed into: a tree in one array, nodes named by their index.
class Expression {
 public:
  static constexpr int kUnlimited = -1;

  enum class Kind { kSequence, kChoice, kRepeat, kCharacters, kCall, kStart, kEnd };
  struct Node {
    Kind kind = Kind::kSequence;
    std::vector<int32_t> children;
    int min = 0, max = 0;  // kRepeat; max may be kUnlimited
    int32_t rule = 0;      // kCall
    CodePointSet characters;
  };

  int32_t sequence(std::vector<int32_t> children);
  int32_t choice(std::vector<int32_t> children);
  int32_t repeat(int32_t child, int min, int max);
  int32_t characters(CodePointSet set);
  int32_t call(int32_t rule);
  int32_t start() { return add({Kind::kStart, {}, 0, 0, 0, {}}); }
  int32_t end() { return add({Kind::kEnd, {}, 0, 0, 0, {}}); }

  const Node& operator[](int32_t node) const { return nodes_[static_cast<size_t>(node)]; }

 private:
  int32_t add(Node node);
  std::vector<Node> nodes_;
};

// Adds what `node` describes between two states. It must hold neither kStart nor kEnd. The depth of
// the tree is limited by those who parse it.
void add_expression(AutomatonBuilder& builder, const Expression& expression, int32_t node,
                    int32_t from, int32_t to, Spelling spelling);

// Reads the characters of a pattern or a grammar.
class CharacterReader {
 public:
  // Throws Error, begun by `place`, unless `text` is UTF-8.
  CharacterReader(std::string_view text, std::string place);

  static constexpr char32_t kNone = 0xffffffff;  // what stands behind the end

  bool done() const { return next_ == text_.size(); }
  char32_t peek(size_t ahead = 0) const {
    return next_ + ahead < text_.size() ? text_[next_ + ahead] : kNone;
  }
  char32_t take();
  // Takes the next character if it is `c`, which is ASCII.
  bool take_if(char c);
  // Takes `text`, which is ASCII, if it comes next.
  bool take_if(std::string_view text);
  // The number that `digits` hexadecimal digits write; Error if they are not there.
  char32_t take_hex(int digits);
  // The bounds that *, +, ?, {m}, {m,} or {m,n} stands for, taken; nullopt, and nothing taken, if
  // the next character begins none of them. Error if bounds are malformed, too large or the wrong
  // way round.
  std::optional<std::pair<int, int>> take_quantifier();

  // Throws Error: "place: character 7: expected ..., found ...".
  [[noreturn]] void expected(std::string_view what) const;

 private:
  std::optional<int> take_count();

  std::u32string text_;
  std::string place_;
  size_t next_ = 0;
};

}  // namespace minke
