#include "learn/tasks/python/lexer.h"

#include <algorithm>
#include <array>

#include <fmt/core.h>

#include "base/core/error.h"

namespace minke::python {
namespace {

constexpr std::array<std::string_view, 35> kKeywords = {
    "False", "None",     "True",  "and",    "as",   "assert", "async",  "await",    "break",
    "class", "continue", "def",   "del",    "elif", "else",   "except", "finally",  "for",
    "from",  "global",   "if",    "import", "in",   "is",     "lambda", "nonlocal", "not",
    "or",    "pass",     "raise", "return", "try",  "while",  "with",   "yield"};
// Longest first, so that the first that fits is the one Python reads.
constexpr std::array<std::string_view, 27> kOperators = {
    "**=", "//=", "**", "//", "==", "!=", "<=", ">=", "+=", "-=", "*=", "%=", "+", "-",
    "*",   "%",   "<",  ">",  "=",  "(",  ")",  "[",  "]",  ",",  ":",  ".",  ""};
constexpr size_t kMostIndents = 40;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_name_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool is_name_part(char c) {
  return is_name_start(c) || is_digit(c);
}

class Lexer {
 public:
  explicit Lexer(std::string_view source) : source_(source) {}

  std::vector<Token> run() {
    while (at_ < source_.size()) {
      if (line_start_ && brackets_ == 0 && !indentation()) continue;
      line_start_ = false;
      token();
    }
    if (brackets_ > 0) refuse("a bracket is not closed");
    if (!tokens_.empty() && tokens_.back().kind != TokenKind::kNewline) add(TokenKind::kNewline);
    for (; indents_.size() > 1; indents_.pop_back()) add(TokenKind::kDedent);
    add(TokenKind::kEnd);
    return std::move(tokens_);
  }

 private:
  [[noreturn]] void refuse(std::string_view what) const {
    fail(fmt::format("line {}", line_), "{}", what);
  }

  void add(TokenKind kind, std::string text = {}) {
    tokens_.push_back({kind, std::move(text), line_});
  }

  char peek(size_t ahead = 0) const {
    return at_ + ahead < source_.size() ? source_[at_ + ahead] : '\n';
  }

  // Reads the spaces a line begins with; false if nothing but a comment follows them.
  bool indentation() {
    size_t width = 0;
    for (; at_ < source_.size() && source_[at_] == ' '; ++at_) ++width;
    if (at_ == source_.size()) return false;
    if (peek() == '#' || peek() == '\n') {
      skip_comment();
      if (at_ < source_.size()) ++at_;
      ++line_;
      return false;
    }
    if (width > indents_.back()) {
      if (indents_.size() > kMostIndents) refuse("blocks are nested too deeply");
      indents_.push_back(width);
      add(TokenKind::kIndent);
    }
    for (; width < indents_.back(); indents_.pop_back()) add(TokenKind::kDedent);
    if (width != indents_.back()) refuse("the indentation fits no block around it");
    return true;
  }

  void skip_comment() {
    if (peek() != '#') return;
    for (; at_ < source_.size() && source_[at_] != '\n'; ++at_) {
      const char c = source_[at_];
      if (c < ' ' || c > '~') refuse("a byte in a comment is not printable ASCII");
    }
  }

  void token() {
    const char c = peek();
    if (c == ' ') {
      ++at_;
    } else if (c == '#') {
      skip_comment();
    } else if (c == '\n') {
      if (brackets_ == 0) add(TokenKind::kNewline);
      line_start_ = true;
      ++at_;
      ++line_;
    } else if (is_digit(c)) {
      integer();
    } else if (is_name_start(c)) {
      name();
    } else if (c == '"' || c == '\'') {
      string(c);
    } else {
      symbol();
    }
  }

  void integer() {
    const size_t start = at_;
    while (is_digit(peek())) ++at_;
    if (peek() == '.') refuse("a floating-point number is not part of the subset");
    if (is_name_part(peek())) refuse("only decimal integers are part of the subset");
    std::string text(source_.substr(start, at_ - start));
    if (text.size() > 1 && text[0] == '0') refuse("an integer begins with 0");
    add(TokenKind::kInteger, std::move(text));
  }

  void name() {
    const size_t start = at_;
    while (is_name_part(peek())) ++at_;
    std::string text(source_.substr(start, at_ - start));
    if (peek() == '"' || peek() == '\'') {
      refuse(fmt::format("a string with the prefix {} is not part of the subset", printable(text)));
    }
    // Some of these mean something to Python (__debug__), and the others are bad style.
    if (text.starts_with("__")) refuse("a name begins with two underscores");
    const TokenKind kind = is_keyword(text) ? TokenKind::kKeyword : TokenKind::kName;
    add(kind, std::move(text));
  }

  void string(char quote) {
    if (peek(1) == quote && peek(2) == quote) {
      refuse("a string in triple quotes is not part of the subset");
    }
    std::string text;
    for (++at_; peek() != quote; ++at_) {
      char c = peek();
      if (c == '\n') refuse("a string does not end on its line");
      if (c == '\\') {
        c = escaped(peek(1));
        ++at_;
      } else if (c < ' ' || c > '~') {
        refuse("a byte in a string is not printable ASCII");
      }
      text += c;
    }
    ++at_;
    add(TokenKind::kString, std::move(text));
  }

  char escaped(char c) const {
    switch (c) {
      case 'n':
        return '\n';
      case 't':
        return '\t';
      case '\\':
      case '\'':
      case '"':
        return c;
      default:
        refuse("of escapes only \\n, \\t, \\\\, \\' and \\\" are part of the subset");
    }
  }

  void symbol() {
    const std::string_view rest = source_.substr(at_);
    const auto found =
        std::ranges::find_if(kOperators, [&](std::string_view op) { return rest.starts_with(op); });
    if (found->empty()) {
      refuse(fmt::format("'{}' is not part of the subset", printable(rest.substr(0, 1))));
    }
    // "/" and "/=" are no operators of the subset, but "//" is: "//=" was tried before.
    if (*found == "(" || *found == "[") ++brackets_;
    if (*found == ")" || *found == "]") {
      if (brackets_ == 0) refuse(fmt::format("'{}' closes nothing", *found));
      --brackets_;
    }
    at_ += found->size();
    add(TokenKind::kOperator, std::string(*found));
  }

  std::string_view source_;
  size_t at_ = 0;
  int line_ = 1;
  int brackets_ = 0;
  bool line_start_ = true;
  std::vector<size_t> indents_ = {0};
  std::vector<Token> tokens_;
};

}  // namespace

std::vector<Token> tokens_of(std::string_view source) {
  return Lexer(source).run();
}

bool is_keyword(std::string_view name) {
  return std::ranges::find(kKeywords, name) != kKeywords.end();
}

std::string describe_token(const Token& token) {
  switch (token.kind) {
    case TokenKind::kNewline:
      return "the end of the line";
    case TokenKind::kIndent:
      return "an indented line";
    case TokenKind::kDedent:
      return "the end of the block";
    case TokenKind::kEnd:
      return "the end of the program";
    case TokenKind::kString:
      return "a string";
    default:
      return fmt::format("'{}'", printable(token.text, 40));
  }
}

}  // namespace minke::python
