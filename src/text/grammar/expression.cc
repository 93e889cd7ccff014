#include "text/grammar/expression.h"

#include <utility>

#include "base/core/check.h"
#include "base/core/error.h"
#include "base/core/utf8.h"

namespace minke {
namespace {

constexpr int kLargestCount = 100'000;

int hex_digit(char32_t c) {
  if (c >= '0' && c <= '9') return static_cast<int>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<int>(c - 'a') + 10;
  if (c >= 'A' && c <= 'F') return static_cast<int>(c - 'A') + 10;
  return -1;
}

void add_repeat(AutomatonBuilder& builder, const Expression& expression,
                const Expression::Node& node, int32_t from, int32_t to, Spelling spelling) {
  const int32_t child = node.children.front();
  for (int i = 0; i < node.min; ++i) {
    const int32_t next = builder.add_state();
    add_expression(builder, expression, child, from, next, spelling);
    from = next;
  }
  if (node.max == Expression::kUnlimited) {
    const int32_t loop = builder.add_state();
    builder.add_jump(from, loop);
    add_expression(builder, expression, child, loop, loop, spelling);
    builder.add_jump(loop, to);
    return;
  }
  for (int i = node.min; i < node.max; ++i) {
    builder.add_jump(from, to);
    const int32_t next = builder.add_state();
    add_expression(builder, expression, child, from, next, spelling);
    from = next;
  }
  builder.add_jump(from, to);
}

}  // namespace

int32_t Expression::add(Node node) {
  nodes_.push_back(std::move(node));
  return static_cast<int32_t>(nodes_.size() - 1);
}

int32_t Expression::sequence(std::vector<int32_t> children) {
  if (children.size() == 1) return children.front();
  return add({Kind::kSequence, std::move(children), 0, 0, 0, {}});
}

int32_t Expression::choice(std::vector<int32_t> children) {
  if (children.size() == 1) return children.front();
  return add({Kind::kChoice, std::move(children), 0, 0, 0, {}});
}

int32_t Expression::repeat(int32_t child, int min, int max) {
  return add({Kind::kRepeat, {child}, min, max, 0, {}});
}

int32_t Expression::characters(CodePointSet set) {
  return add({Kind::kCharacters, {}, 0, 0, 0, std::move(set)});
}

int32_t Expression::call(int32_t rule) {
  return add({Kind::kCall, {}, 0, 0, rule, {}});
}

void add_expression(AutomatonBuilder& builder, const Expression& expression, int32_t node,
                    int32_t from, int32_t to, Spelling spelling) {
  const Expression::Node& n = expression[node];
  switch (n.kind) {
    case Expression::Kind::kSequence:
      for (const int32_t child : n.children) {
        const int32_t next = builder.add_state();
        add_expression(builder, expression, child, from, next, spelling);
        from = next;
      }
      builder.add_jump(from, to);
      return;
    case Expression::Kind::kChoice:
      for (const int32_t child : n.children) {
        // States of its own: a loop in one alternative must not be open to the others.
        const int32_t first = builder.add_state(), last = builder.add_state();
        builder.add_jump(from, first);
        add_expression(builder, expression, child, first, last, spelling);
        builder.add_jump(last, to);
      }
      return;
    case Expression::Kind::kRepeat:
      add_repeat(builder, expression, n, from, to, spelling);
      return;
    case Expression::Kind::kCharacters:
      add_characters(builder, from, to, n.characters, spelling);
      return;
    case Expression::Kind::kCall:
      builder.add_call(from, n.rule, to);
      return;
    case Expression::Kind::kStart:
    case Expression::Kind::kEnd:
      break;
  }
  CHECK(false);
}

CharacterReader::CharacterReader(std::string_view text, std::string place)
    : place_(std::move(place)) {
  require_utf8(text, place_);
  while (!text.empty()) {
    text_ += utf8_decode(text);
    text.remove_prefix(utf8_sequence_length(text));
  }
}

char32_t CharacterReader::take() {
  const char32_t c = peek();
  if (c != kNone) ++next_;
  return c;
}

bool CharacterReader::take_if(char c) {
  if (peek() != static_cast<unsigned char>(c)) return false;
  ++next_;
  return true;
}

bool CharacterReader::take_if(std::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (peek(i) != static_cast<unsigned char>(text[i])) return false;
  }
  next_ += text.size();
  return true;
}

char32_t CharacterReader::take_hex(int digits) {
  char32_t value = 0;
  for (int i = 0; i < digits; ++i) {
    const int digit = hex_digit(peek());
    if (digit < 0) expected("a hexadecimal digit");
    value = value << 4 | static_cast<char32_t>(digit);
    take();
  }
  return value;
}

std::optional<int> CharacterReader::take_count() {
  if (peek() < '0' || peek() > '9') return std::nullopt;
  int value = 0;
  while (peek() >= '0' && peek() <= '9') {
    value = value * 10 + static_cast<int>(take() - '0');
    if (value > kLargestCount) expected("a count of at most 100000");
  }
  return value;
}

std::optional<std::pair<int, int>> CharacterReader::take_quantifier() {
  if (take_if('*')) return std::pair(0, Expression::kUnlimited);
  if (take_if('+')) return std::pair(1, Expression::kUnlimited);
  if (take_if('?')) return std::pair(0, 1);
  if (!take_if('{')) return std::nullopt;
  const size_t begin = next_;
  const std::optional<int> min = take_count();
  std::optional<int> max = min;
  if (min && take_if(',')) {
    max = take_count();
    if (!max) max = Expression::kUnlimited;
  }
  if (!min || !take_if('}')) {
    next_ = begin;
    expected("bounds as in {1,3}");
  }
  if (*max != Expression::kUnlimited && *max < *min) expected("bounds in rising order before it");
  return std::pair(*min, *max);
}

void CharacterReader::expected(std::string_view what) const {
  std::string found = "the end";
  if (!done()) {
    found.clear();
    utf8_append(found, peek());
    found = fmt::format("\"{}\"", printable(found));
  }
  fail(place_, "character {}: expected {}, found {}", next_ + 1, what, found);
}

}  // namespace minke
