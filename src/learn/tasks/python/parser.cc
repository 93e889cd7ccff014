#include "learn/tasks/python/parser.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include <fmt/core.h>

#include "base/core/error.h"
#include "learn/tasks/python/lexer.h"

namespace minke::python {
namespace {

using ExpressionKind = Expression::Kind;
using StatementKind = Statement::Kind;

constexpr size_t kMostBytes = size_t{1} << 14;
constexpr int kMostNesting = 40;  // of brackets and of operators that take what follows them
constexpr int kMostDepth = 150;   // of a tree; a sum of n terms has depth n
constexpr int kMostBlocks = 10;   // Python allows 20 loops in one another
constexpr std::array<std::string_view, 18> kRefusedKeywords = {
    "as",     "assert", "async", "await",  "class",    "del",   "except", "finally", "from",
    "global", "import", "is",    "lambda", "nonlocal", "raise", "try",    "with",    "yield"};

struct OperatorToken {
  std::string_view text;
  Operator op;
};
constexpr OperatorToken kComparisons[] = {
    {"==", Operator::kEqual},     {"!=", Operator::kNotEqual}, {"<", Operator::kLess},
    {"<=", Operator::kLessEqual}, {">", Operator::kGreater},   {">=", Operator::kGreaterEqual}};
constexpr OperatorToken kSums[] = {{"+", Operator::kAdd}, {"-", Operator::kSubtract}};
constexpr OperatorToken kProducts[] = {
    {"*", Operator::kMultiply}, {"//", Operator::kFloorDivide}, {"%", Operator::kModulo}};
constexpr OperatorToken kPowers[] = {{"**", Operator::kPower}};
constexpr OperatorToken kSigns[] = {{"-", Operator::kNegate}, {"+", Operator::kPlus}};
constexpr OperatorToken kAugmented[] = {
    {"+=", Operator::kAdd},          {"-=", Operator::kSubtract}, {"*=", Operator::kMultiply},
    {"//=", Operator::kFloorDivide}, {"%=", Operator::kModulo},   {"**=", Operator::kPower}};

// Counts one level more for as long as it lives.
class Deeper {
 public:
  explicit Deeper(int& level) : level_(level) { ++level_; }
  ~Deeper() { --level_; }
  Deeper(const Deeper&) = delete;
  Deeper& operator=(const Deeper&) = delete;

 private:
  int& level_;
};

class Parser {
 public:
  explicit Parser(std::string_view source) : tokens_(tokens_of(source)) {}

  Program program() {
    while (token().kind != TokenKind::kEnd) program_.body.push_back(statement());
    return std::move(program_);
  }

 private:
  const Token& token() const { return tokens_[at_]; }

  [[noreturn]] void refuse(std::string_view what) const {
    fail(fmt::format("line {}", token().line), "{}", what);
  }

  [[noreturn]] void unexpected(std::string_view expected) const {
    if (token().kind == TokenKind::kKeyword &&
        std::ranges::find(kRefusedKeywords, token().text) != kRefusedKeywords.end()) {
      refuse(fmt::format("'{}' is not part of the subset", token().text));
    }
    refuse(fmt::format("expected {}, found {}", expected, describe_token(token())));
  }

  bool is(TokenKind kind, std::string_view text) const {
    return token().kind == kind && token().text == text;
  }
  bool is_operator(std::string_view text) const { return is(TokenKind::kOperator, text); }
  bool is_keyword(std::string_view text) const { return is(TokenKind::kKeyword, text); }

  bool take(TokenKind kind, std::string_view text) {
    if (!is(kind, text)) return false;
    ++at_;
    return true;
  }
  bool take_operator(std::string_view text) { return take(TokenKind::kOperator, text); }
  bool take_keyword(std::string_view text) { return take(TokenKind::kKeyword, text); }

  template <size_t kCount>
  std::optional<Operator> take_one(const OperatorToken (&choices)[kCount]) {
    for (const OperatorToken& choice : choices) {
      if (take_operator(choice.text)) return choice.op;
    }
    return {};
  }

  void need_operator(std::string_view text) {
    if (!take_operator(text)) unexpected(fmt::format("'{}'", text));
  }
  void need(TokenKind kind, std::string_view expected) {
    if (token().kind != kind) unexpected(expected);
    ++at_;
  }
  std::string need_name(std::string_view expected) {
    if (token().kind != TokenKind::kName) unexpected(expected);
    return tokens_[at_++].text;
  }

  // Expressions, loosest first.

  int add(Expression expression) {
    for (const int child : expression.children) {
      expression.depth = std::max(expression.depth, program_.expressions[child].depth + 1);
    }
    if (expression.depth > kMostDepth) refuse("an expression is too long or nested too deeply");
    program_.expressions.push_back(std::move(expression));
    return static_cast<int>(program_.expressions.size()) - 1;
  }

  int add(ExpressionKind kind, int line, std::vector<int> children,
          std::vector<Operator> operators = {}) {
    Expression node;
    node.kind = kind;
    node.line = line;
    node.children = std::move(children);
    node.operators = std::move(operators);
    return add(std::move(node));
  }

  int expression() { return any_of(); }

  int any_of() {
    const int line = token().line;
    std::vector<int> terms = {all_of()};
    while (take_keyword("or")) terms.push_back(all_of());
    return terms.size() == 1 ? terms[0] : add(ExpressionKind::kOr, line, std::move(terms));
  }

  int all_of() {
    const int line = token().line;
    std::vector<int> terms = {negation()};
    while (take_keyword("and")) terms.push_back(negation());
    return terms.size() == 1 ? terms[0] : add(ExpressionKind::kAnd, line, std::move(terms));
  }

  int negation() {
    const int line = token().line;
    const Deeper deeper(nesting_);
    if (nesting_ > kMostNesting) refuse("an expression is nested too deeply");
    if (take_keyword("not")) {
      return add(ExpressionKind::kUnary, line, {negation()}, {Operator::kNot});
    }
    return comparison();
  }

  int comparison() {
    const int line = token().line;
    std::vector<int> terms = {sum()};
    std::vector<Operator> operators;
    while (const auto op = take_one(kComparisons)) {
      operators.push_back(*op);
      terms.push_back(sum());
    }
    if (is_keyword("in") || is_keyword("not"))
      refuse("the operator 'in' is not part of the subset");
    if (operators.empty()) return terms[0];
    return add(ExpressionKind::kCompare, line, std::move(terms), std::move(operators));
  }

  int sum() {
    const int line = token().line;
    int left = product();
    while (const auto op = take_one(kSums)) {
      const int right = product();
      left = add(ExpressionKind::kBinary, line, {left, right}, {*op});
    }
    return left;
  }

  int product() {
    const int line = token().line;
    int left = factor();
    while (const auto op = take_one(kProducts)) {
      const int right = factor();
      left = add(ExpressionKind::kBinary, line, {left, right}, {*op});
    }
    return left;
  }

  int factor() {
    const int line = token().line;
    const Deeper deeper(nesting_);
    if (nesting_ > kMostNesting) refuse("an expression is nested too deeply");
    if (const auto op = take_one(kSigns)) {
      return add(ExpressionKind::kUnary, line, {factor()}, {*op});
    }
    const int base = primary();
    if (!take_one(kPowers)) return base;
    const int exponent = factor();
    return add(ExpressionKind::kBinary, line, {base, exponent}, {Operator::kPower});
  }

  int primary() {
    int value = atom();
    for (;;) {
      const int line = token().line;
      if (is_operator("(")) refuse("only a function that has a name is called");
      if (take_operator("[")) {
        value = subscript(value, line);
      } else if (take_operator(".")) {
        const std::string method = need_name("a method");
        if (method != "append") {
          refuse(fmt::format("the method '{}' is not part of the subset", printable(method)));
        }
        need_operator("(");
        const int item = expression();
        need_operator(")");
        value = add(ExpressionKind::kAppend, line, {value, item});
      } else {
        return value;
      }
    }
  }

  int subscript(int value, int line) {
    std::vector<int> children = {value};
    bool slice = false;
    for (;;) {
      const bool absent = is_operator(":") || is_operator("]");
      children.push_back(absent ? add(ExpressionKind::kNone, line, {}) : expression());
      if (absent && !slice && is_operator("]")) unexpected("an index");
      if (children.size() == 4 || !take_operator(":")) break;
      slice = true;
    }
    need_operator("]");
    if (!slice) return add(ExpressionKind::kIndex, line, std::move(children));
    while (children.size() < 4) children.push_back(add(ExpressionKind::kNone, line, {}));
    return add(ExpressionKind::kSlice, line, std::move(children));
  }

  int atom() {
    Expression node;
    node.line = token().line;
    if (token().kind == TokenKind::kInteger) {
      node.kind = ExpressionKind::kInteger;
      const std::string& text = token().text;
      if (std::from_chars(text.data(), text.data() + text.size(), node.integer).ec != std::errc{}) {
        refuse("integer too large");
      }
      ++at_;
      return add(std::move(node));
    }
    if (token().kind == TokenKind::kString) {
      node.kind = ExpressionKind::kString;
      node.text = tokens_[at_++].text;
      if (token().kind == TokenKind::kString) {
        refuse("strings side by side are not part of the subset");
      }
      return add(std::move(node));
    }
    if (token().kind == TokenKind::kName) {
      node.kind = ExpressionKind::kName;
      node.text = tokens_[at_++].text;
      if (take_operator("(")) {
        node.kind = ExpressionKind::kCall;
        node.children = items(")", "a tuple or a named argument");
      }
      return add(std::move(node));
    }
    if (is_keyword("True") || is_keyword("False") || is_keyword("None")) {
      node.kind = is_keyword("None") ? ExpressionKind::kNone : ExpressionKind::kBool;
      node.integer = is_keyword("True") ? 1 : 0;
      ++at_;
      return add(std::move(node));
    }
    if (take_operator("[")) {
      node.kind = ExpressionKind::kList;
      node.children = items("]", "a comprehension");
      return add(std::move(node));
    }
    if (take_operator("(")) {
      if (is_operator(")")) refuse("a tuple is not part of the subset");
      const int inner = expression();
      if (is_operator(",")) refuse("a tuple is not part of the subset");
      need_operator(")");
      return inner;
    }
    unexpected("an expression");
  }

  std::vector<int> items(std::string_view close, std::string_view unsupported) {
    std::vector<int> found;
    while (!take_operator(close)) {
      found.push_back(expression());
      if (is_keyword("for") || is_operator("=")) {
        refuse(fmt::format("{} is not part of the subset", unsupported));
      }
      if (!is_operator(close)) need_operator(",");
    }
    return found;
  }

  // Statements.

  Statement statement() {
    Statement made;
    made.line = token().line;
    if (take_keyword("if")) return if_statement(std::move(made));
    if (take_keyword("while")) {
      made.kind = StatementKind::kWhile;
      made.value = expression();
      made.body = loop_body();
      return made;
    }
    if (take_keyword("for")) {
      made.kind = StatementKind::kFor;
      made.target = name_target();
      if (is_operator(",")) refuse("a tuple is not part of the subset");
      if (!take_keyword("in")) unexpected("'in'");
      made.value = expression();
      if (is_operator(",")) refuse("a tuple is not part of the subset");
      made.body = loop_body();
      return made;
    }
    if (take_keyword("def")) return definition(std::move(made));
    simple(made);
    need(TokenKind::kNewline, "the end of the line");
    return made;
  }

  void simple(Statement& made) {
    if (take_keyword("pass")) return;
    const bool leaves = is_keyword("break");
    if (leaves || is_keyword("continue")) {
      if (loops_ == 0) refuse(fmt::format("'{}' stands outside a loop", token().text));
      made.kind = leaves ? StatementKind::kBreak : StatementKind::kContinue;
      ++at_;
    } else if (is_keyword("return")) {
      if (function_ == nullptr) refuse("'return' stands outside a function");
      ++at_;
      made.kind = StatementKind::kReturn;
      if (token().kind != TokenKind::kNewline) made.value = expression();
    } else {
      assignment(made);
    }
    if (is_operator(",")) refuse("a tuple is not part of the subset");
  }

  void assignment(Statement& made) {
    const int first = expression();
    const auto augmented = take_one(kAugmented);
    if (!augmented && !take_operator("=")) {
      made.kind = StatementKind::kExpression;
      made.value = first;
      if (is_operator(":")) refuse("an annotation is not part of the subset");
      return;
    }
    made.kind = augmented ? StatementKind::kAugmented : StatementKind::kAssign;
    made.op = augmented.value_or(Operator::kAdd);
    made.target = first;
    const Expression& target = program_.expressions[first];
    if (target.kind == ExpressionKind::kName) {
      note_local(target.text);
    } else if (target.kind != ExpressionKind::kIndex) {
      refuse("only a name or an element of a list is assigned to");
    }
    made.value = expression();
    if (is_operator("=")) refuse("several assignments in one are not part of the subset");
  }

  void note_local(const std::string& name) {
    if (function_ != nullptr) function_->locals.insert(name);
  }

  int name_target() {
    Expression node;
    node.kind = ExpressionKind::kName;
    node.line = token().line;
    node.text = need_name("a name");
    note_local(node.text);
    return add(std::move(node));
  }

  Statement if_statement(Statement made) {
    made.kind = StatementKind::kIf;
    int line = made.line;
    do {
      const int condition = expression();
      made.branches.push_back({condition, line, block()});
      line = token().line;
    } while (take_keyword("elif"));
    if (take_keyword("else")) made.branches.push_back({kNoExpression, line, block()});
    return made;
  }

  Block loop_body() {
    const Deeper deeper(loops_);
    Block body = block();
    if (is_keyword("else")) refuse("'else' of a loop is not part of the subset");
    return body;
  }

  Block block() {
    need_operator(":");
    need(TokenKind::kNewline, "the end of the line before the block");
    need(TokenKind::kIndent, "an indented line");
    const Deeper deeper(blocks_);
    if (blocks_ > kMostBlocks) refuse("blocks are nested too deeply");
    Block body;
    while (token().kind != TokenKind::kDedent) body.push_back(statement());
    ++at_;
    return body;
  }

  Statement definition(Statement made) {
    if (blocks_ > 0) refuse("a function inside a block is not part of the subset");
    made.kind = StatementKind::kDefine;
    made.function = static_cast<int>(program_.functions.size());
    Function function;
    function.name = need_name("a name");
    need_operator("(");
    while (!take_operator(")")) {
      std::string name = need_name("a parameter");
      if (!function.locals.insert(name).second) {
        refuse(fmt::format("the parameter '{}' stands twice", printable(name)));
      }
      function.parameters.push_back(std::move(name));
      if (is_operator("=")) refuse("a default value is not part of the subset");
      if (!is_operator(")")) need_operator(",");
    }
    function_ = &function;
    function.body = block();
    function_ = nullptr;
    program_.functions.push_back(std::move(function));
    return made;
  }

  std::vector<Token> tokens_;
  size_t at_ = 0;
  Program program_;
  Function* function_ = nullptr;  // the one whose body is read
  int nesting_ = 0;
  int blocks_ = 0;
  int loops_ = 0;
};

std::optional<StatementKind> only_statement(std::string_view text) {
  try {
    const Program program = parse(text);
    if (program.body.size() == 1) return program.body[0].kind;
  } catch (const Error&) {
    return {};
  }
  return {};
}

}  // namespace

std::string_view operator_text(Operator op) {
  constexpr std::string_view kTexts[] = {"+", "-",  "*", "//", "%",       "**",      "==", "!=",
                                         "<", "<=", ">", ">=", "unary -", "unary +", "not"};
  return kTexts[static_cast<size_t>(op)];
}

Program parse(std::string_view source) {
  if (source.size() > kMostBytes) {
    fail("line 1", "expected a program of at most {} bytes, found {}", kMostBytes, source.size());
  }
  return Parser(source).program();
}

bool is_expression(std::string_view text) {
  return only_statement(text) == StatementKind::kExpression;
}

bool is_assignment(std::string_view text) {
  const auto kind = only_statement(text);
  return kind == StatementKind::kAssign || kind == StatementKind::kAugmented;
}

}  // namespace minke::python
