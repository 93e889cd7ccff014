#include <map>
#include <memory>
#include <utility>

#include "base/core/error.h"
#include "learn/tasks/python/operations.h"
#include "learn/tasks/python/parser.h"
#include "learn/tasks/python/python.h"

namespace minke::python {
namespace {

using ExpressionKind = Expression::Kind;
using StatementKind = Statement::Kind;

// Of expressions and blocks in one another, through all calls: what bounds the stack.
constexpr int kMostDepth = 1500;

enum class Flow { kNext, kBreak, kContinue, kReturn };

struct Frame {
  const Function* function = nullptr;  // none for the program itself
  std::map<std::string, Value, std::less<>> names;
  Value result;
};

class Interpreter {
 public:
  Interpreter(const Program& program, const Limits& limits, const Observer& observer)
      : program_(program), heap_(limits), observer_(observer) {}

  std::string run() {
    execute(program_.body);
    return heap_.take_output();
  }

 private:
  class Deeper {
   public:
    explicit Deeper(Interpreter& run) : run_(run) {
      if (++run_.depth_ > kMostDepth) run_.heap_.refuse("calls and expressions are too deep");
    }
    ~Deeper() { --run_.depth_; }
    Deeper(const Deeper&) = delete;
    Deeper& operator=(const Deeper&) = delete;

   private:
    Interpreter& run_;
  };

  const Expression& at(int id) const { return program_.expressions[static_cast<size_t>(id)]; }
  Value evaluate(int id) { return evaluate(at(id)); }

  void tell(Event::Kind kind, int line, const std::string& name, const Value& value) {
    if (observer_) observer_({kind, line, name, repr(heap_, value)});
  }

  // Names.

  bool is_local(std::string_view name) const {
    return frame_->function != nullptr && frame_->function->locals.contains(name);
  }

  Value* find(std::string_view name) {
    Frame& frame = is_local(name) ? *frame_ : globals_;
    const auto found = frame.names.find(name);
    if (found != frame.names.end()) return &found->second;
    if (is_local(name)) heap_.refuse("'{}' has no value yet", printable(name, 40));
    return nullptr;
  }

  Value lookup(const Expression& name) {
    const Value* value = find(name.text);
    if (value == nullptr) {
      if (is_builtin(name.text)) heap_.refuse("'{}' is used other than to call it", name.text);
      heap_.refuse("'{}' is not defined", printable(name.text, 40));
    }
    if (value->is(Value::Kind::kFunction)) {
      heap_.refuse("'{}' is used other than to call it", printable(name.text, 40));
    }
    return *value;
  }

  void set_name(const std::string& name, const Value& value) { frame_->names[name] = value; }

  // Expressions.

  Value evaluate(const Expression& node) {
    const Deeper deeper(*this);
    heap_.step();
    switch (node.kind) {
      case ExpressionKind::kInteger:
        return Value::of_integer(node.integer);
      case ExpressionKind::kBool:
        return Value::of_bool(node.integer != 0);
      case ExpressionKind::kNone:
        return {};
      case ExpressionKind::kString:
        return heap_.string(node.text);
      case ExpressionKind::kName:
        return lookup(node);
      case ExpressionKind::kList:
        return heap_.list(evaluate_all(node.children));
      case ExpressionKind::kUnary:
        return unary(heap_, node.operators[0], evaluate(node.children[0]));
      case ExpressionKind::kCompare:
        return comparison(node);
      case ExpressionKind::kAnd:
      case ExpressionKind::kOr:
        return junction(node);
      case ExpressionKind::kCall:
        return call(node);
      case ExpressionKind::kAppend:
        return append(node);
      case ExpressionKind::kSlice: {
        const std::vector<Value> parts = evaluate_all(node.children);
        return slice(heap_, parts[0], parts[1], parts[2], parts[3]);
      }
      case ExpressionKind::kBinary:
      case ExpressionKind::kIndex:
        break;
    }
    const Value left = evaluate(node.children[0]);
    const Value right = evaluate(node.children[1]);
    return node.kind == ExpressionKind::kIndex ? element(heap_, left, right)
                                               : binary(heap_, node.operators[0], left, right);
  }

  std::vector<Value> evaluate_all(const std::vector<int>& ids) {
    std::vector<Value> values;
    values.reserve(ids.size());
    for (const int id : ids) values.push_back(evaluate(id));
    return values;
  }

  Value comparison(const Expression& node) {
    Value left = evaluate(node.children[0]);
    for (size_t i = 0; i < node.operators.size(); ++i) {
      const Value right = evaluate(node.children[i + 1]);
      if (!compare(heap_, node.operators[i], left, right)) return Value::of_bool(false);
      left = right;
    }
    return Value::of_bool(true);
  }

  Value junction(const Expression& node) {
    Value value;
    for (const int child : node.children) {
      value = evaluate(child);
      if (child != node.children.back() &&
          truth(heap_, value) == (node.kind == ExpressionKind::kOr)) {
        return value;
      }
    }
    return value;
  }

  Value append(const Expression& node) {
    const Value list = evaluate(node.children[0]);
    if (!list.is(Value::Kind::kList)) heap_.refuse("{} has no append()", type_name(list));
    heap_.append(*list.list, evaluate(node.children[1]));
    const Expression& named = at(node.children[0]);
    if (named.kind == ExpressionKind::kName) {
      tell(Event::Kind::kAssigned, node.line, named.text, list);
    }
    return {};
  }

  Value call(const Expression& node) {
    const Value* named = find(node.text);
    if (named == nullptr && !is_builtin(node.text)) {
      heap_.refuse("'{}' is not a function here", printable(node.text, 40));
    }
    if (named != nullptr && !named->is(Value::Kind::kFunction)) {
      heap_.refuse("'{}' is {}, not a function", printable(node.text, 40), type_name(*named));
    }
    const bool builtin = named == nullptr;
    const size_t function = builtin ? 0 : static_cast<size_t>(named->integer);
    const std::vector<Value> arguments = evaluate_all(node.children);
    heap_.set_line(node.line);
    if (builtin) return call_builtin(heap_, node.text, arguments);
    return call_function(program_.functions[function], arguments, node.line);
  }

  Value call_function(const Function& function, const std::vector<Value>& arguments, int line) {
    if (arguments.size() != function.parameters.size()) {
      heap_.refuse("{}() takes {} arguments, found {}", printable(function.name, 40),
                   function.parameters.size(), arguments.size());
    }
    if (++calls_ > heap_.limits().calls) {
      heap_.refuse("more than {} calls in one another", heap_.limits().calls);
    }
    tell_call(function, arguments, line);
    const auto frame = std::make_unique<Frame>();
    frame->function = &function;
    for (size_t i = 0; i < arguments.size(); ++i) {
      frame->names[function.parameters[i]] = arguments[i];
    }
    Frame* const caller = std::exchange(frame_, frame.get());
    execute(function.body);
    frame_ = caller;
    --calls_;
    heap_.set_line(line);
    tell(Event::Kind::kReturned, line, function.name, frame->result);
    return frame->result;
  }

  void tell_call(const Function& function, const std::vector<Value>& arguments, int line) {
    if (!observer_) return;
    std::string text = "(";
    for (size_t i = 0; i < arguments.size(); ++i) {
      if (i > 0) text += ", ";
      text += repr(heap_, arguments[i]);
    }
    observer_({Event::Kind::kCalled, line, function.name, text + ")"});
  }

  // Statements.

  Flow execute(const Block& block) {
    const Deeper deeper(*this);
    for (const Statement& statement : block) {
      const Flow flow = execute(statement);
      if (flow != Flow::kNext) return flow;
    }
    return Flow::kNext;
  }

  Flow execute(const Statement& statement) {
    heap_.step();
    heap_.set_line(statement.line);
    switch (statement.kind) {
      case StatementKind::kExpression:
        evaluate(statement.value);
        return Flow::kNext;
      case StatementKind::kAssign:
        assign(statement);
        return Flow::kNext;
      case StatementKind::kAugmented:
        assign_augmented(statement);
        return Flow::kNext;
      case StatementKind::kIf:
        return branch(statement);
      case StatementKind::kWhile:
        return repeat(statement);
      case StatementKind::kFor:
        return iterate(statement);
      case StatementKind::kBreak:
        return Flow::kBreak;
      case StatementKind::kContinue:
        return Flow::kContinue;
      case StatementKind::kPass:
        return Flow::kNext;
      case StatementKind::kReturn:
        if (statement.value != kNoExpression) frame_->result = evaluate(statement.value);
        return Flow::kReturn;
      case StatementKind::kDefine:
        set_name(program_.functions[static_cast<size_t>(statement.function)].name,
                 {.kind = Value::Kind::kFunction, .integer = statement.function});
        return Flow::kNext;
    }
    return Flow::kNext;
  }

  // The list an element of which is assigned to.
  List& list_of(const Value& value) {
    if (!value.is(Value::Kind::kList)) {
      heap_.refuse("elements of {} are not assigned to", type_name(value));
    }
    return *value.list;
  }

  void tell_assigned(const Statement& statement) {
    if (!observer_) return;
    const Expression* target = &at(statement.target);
    while (target->kind == ExpressionKind::kIndex) target = &at(target->children[0]);
    if (target->kind != ExpressionKind::kName) return;
    if (const Value* value = find(target->text)) {
      tell(Event::Kind::kAssigned, statement.line, target->text, *value);
    }
  }

  void assign(const Statement& statement) {
    const Value value = evaluate(statement.value);
    const Expression& target = at(statement.target);
    if (target.kind == ExpressionKind::kName) {
      set_name(target.text, value);
    } else {
      List& list = list_of(evaluate(target.children[0]));
      const Value index = evaluate(target.children[1]);
      list.items[position(heap_, index, list.items.size())] = value;
    }
    tell_assigned(statement);
  }

  void assign_augmented(const Statement& statement) {
    const Expression& target = at(statement.target);
    if (target.kind == ExpressionKind::kName) {
      const Value before = lookup(target);
      set_name(target.text, augmented(heap_, statement.op, before, evaluate(statement.value)));
    } else {
      List& list = list_of(evaluate(target.children[0]));
      const Value index = evaluate(target.children[1]);
      const Value before = list.items[position(heap_, index, list.items.size())];
      const Value after = augmented(heap_, statement.op, before, evaluate(statement.value));
      // The value may have changed the list.
      list.items[position(heap_, index, list.items.size())] = after;
    }
    tell_assigned(statement);
  }

  bool test(int condition, int line) {
    heap_.set_line(line);
    const bool result = truth(heap_, evaluate(condition));
    tell(Event::Kind::kTested, line, {}, Value::of_bool(result));
    return result;
  }

  Flow branch(const Statement& statement) {
    for (const Branch& choice : statement.branches) {
      if (choice.condition == kNoExpression || test(choice.condition, choice.line)) {
        return execute(choice.body);
      }
    }
    return Flow::kNext;
  }

  Flow repeat(const Statement& statement) {
    while (test(statement.value, statement.line)) {
      const Flow flow = execute(statement.body);
      if (flow == Flow::kReturn) return flow;
      if (flow == Flow::kBreak) break;
    }
    return Flow::kNext;
  }

  Flow iterate(const Statement& statement) {
    Iterator iterator(heap_, evaluate(statement.value));
    const std::string& name = at(statement.target).text;
    for (Value item; iterator.next(item);) {
      set_name(name, item);
      tell(Event::Kind::kLoop, statement.line, name, item);
      const Flow flow = execute(statement.body);
      if (flow == Flow::kReturn) return flow;
      if (flow == Flow::kBreak) break;
      heap_.set_line(statement.line);
    }
    return Flow::kNext;
  }

  const Program& program_;
  Heap heap_;
  const Observer& observer_;
  Frame globals_;
  Frame* frame_ = &globals_;
  int depth_ = 0;
  int calls_ = 0;
};

}  // namespace

std::string run(std::string_view source, const Limits& limits, const Observer& observer) {
  const Program program = parse(source);
  return Interpreter(program, limits, observer).run();
}

}  // namespace minke::python
