#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace minke::python {

// The tree of a program. Expressions live in one array and name each other by index, so that
// neither building nor freeing a tree recurses, however a stranger nested it.

enum class Operator {
  kAdd,
  kSubtract,
  kMultiply,
  kFloorDivide,
  kModulo,
  kPower,
  kEqual,
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kNegate,
  kPlus,
  kNot,
};
// "+", "//", "not".
std::string_view operator_text(Operator op);

struct Expression {
  enum class Kind {
    kInteger,
    kBool,
    kNone,
    kString,
    kName,
    kList,
    kUnary,
    kBinary,
    kCompare,  // children[i] operators[i] children[i + 1], chained
    kAnd,
    kOr,
    kCall,    // the function `text` of the children
    kAppend,  // children[0].append(children[1])
    kIndex,   // children[0][children[1]]
    kSlice,   // children[0][children[1]:children[2]:children[3]], kNone for what was left out
  };
  Kind kind = Kind::kNone;
  int line = 0;
  int depth = 1;  // of the tree below and with this one
  int64_t integer = 0;
  std::string text;
  std::vector<int> children;
  std::vector<Operator> operators;
};

inline constexpr int kNoExpression = -1;

struct Statement;
using Block = std::vector<Statement>;

struct Branch {
  int condition = kNoExpression;  // none for else
  int line = 0;
  Block body;
};

struct Statement {
  enum class Kind {
    kExpression,
    kAssign,
    kAugmented,
    kIf,
    kWhile,
    kFor,
    kBreak,
    kContinue,
    kPass,
    kReturn,
    kDefine,
  };
  Kind kind = Kind::kPass;
  int line = 0;
  int target = kNoExpression;  // a name or an index; of a loop its name
  int value = kNoExpression;   // also a condition, or what a loop goes through
  Operator op = Operator::kAdd;
  int function = 0;  // index of the one that is defined
  std::vector<Branch> branches;
  Block body;
};

struct Function {
  std::string name;
  std::vector<std::string> parameters;
  std::set<std::string, std::less<>> locals;  // what is assigned anywhere in it, and parameters
  Block body;
};

struct Program {
  std::vector<Expression> expressions;
  std::vector<Function> functions;
  Block body;
};

}  // namespace minke::python
