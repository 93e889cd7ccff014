#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace minke::python {

enum class TokenKind {
  kName,
  kKeyword,
  kInteger,
  kString,
  kOperator,
  kNewline,
  kIndent,
  kDedent,
  kEnd
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::string text;  // of a string what it stands for, without quotes
  int line = 0;      // from 1
};

// The tokens of `source`, the last of kind kEnd. Throws Error "line 3: ..." for what the subset
// (python.h) does not hold: bytes that are not printable ASCII, tabs, numbers other than decimal
// integers, prefixed or triple-quoted strings, continued lines, operators it lacks.
std::vector<Token> tokens_of(std::string_view source);

// Whether `name` is a keyword of Python, also of those that the subset refuses.
bool is_keyword(std::string_view name);

// How a token is named in an error.
std::string describe_token(const Token& token);

}  // namespace minke::python
