#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <vector>

#include <fmt/core.h>

#include "base/core/error.h"
#include "learn/tasks/boxed.h"
#include "learn/tasks/checkable.h"
#include "learn/tasks/code/code_text.h"
#include "learn/tasks/python/parser.h"
#include "learn/tasks/python/python.h"
#include "learn/tasks/split.h"

namespace minke {
namespace {

// A program that lacks one expression (level 1) or one line (level 2), and what it shall print.

constexpr std::string_view kGap = "___";
constexpr size_t kMostFillBytes = 60;
constexpr size_t kFills = 6;

enum class Arguments { kOne, kTwo, kList };

struct Family {
  std::string_view body;  // of the function f; its gap is kGap
  Arguments arguments = Arguments::kOne;
  std::array<std::string_view, kFills> fills;  // {n} is a small number
};

constexpr std::array<Family, 5> kExpressions = {{
    {"def f(a, b):\n    return ___\n",
     Arguments::kTwo,
     {"a + b", "a * b", "a - b", "a + {n} * b", "{n} * a + b", "a * b + {n}"}},
    {"def f(a, b):\n    c = ___\n    return c + {n}\n",
     Arguments::kTwo,
     {"a + b", "a * b", "a - b", "max(a, b)", "min(a, b)", "a * a"}},
    {"def f(x):\n    return ___\n",
     Arguments::kOne,
     {"x + {n}", "x * {n}", "x - {n}", "x * x", "x * x + {n}", "{n} * x + 1"}},
    {"def f(x):\n    if ___:\n        return x\n    return 0\n",
     Arguments::kOne,
     {"x > {n}", "x < {n}", "x % 2 == 0", "x % 2 == 1", "x % 3 == 0", "x >= 5"}},
    {"def f(n):\n    t = 0\n    for i in range(___):\n        t += i\n    return t\n",
     Arguments::kOne,
     {"n", "n + 1", "n - 1", "n + {n}", "n * 2", "n // 2"}},
}};
constexpr std::array<Family, 4> kLines = {{
    {"def f(n):\n    t = 0\n    for i in range(n):\n        ___\n    return t\n",
     Arguments::kOne,
     {"t += i", "t += i * i", "t += {n}", "t += i + {n}", "t += i * {n}", "t += n"}},
    {"def f(n):\n    t = 1\n    while n > 0:\n        ___\n        n -= 1\n    return t\n",
     Arguments::kOne,
     {"t *= n", "t += n", "t += {n}", "t *= 2", "t += n * {n}", "t += n * n"}},
    {"def f(xs):\n    t = 0\n    for x in xs:\n        ___\n    return t\n",
     Arguments::kList,
     {"t += x", "t = max(t, x)", "t += x * x", "t += x * {n}", "t += x + {n}", "t += 1"}},
    {"def f(a, b):\n    ___\n    return a + b\n",
     Arguments::kTwo,
     {"a += {n}", "a *= b", "a *= {n}", "b *= {n}", "a -= b", "b *= b"}},
}};

// A program with its gap, the right fill, and what it then prints.
struct Gapped {
  bool line = false;
  std::string program;
  std::string fill;
  std::string wanted;
};

std::string with_number(std::string_view text, int number) {
  return filled(text, {{"n", std::to_string(number)}});
}

// An expression stands in parentheses, so that what is around it does not tear it apart.
std::string completed(const Gapped& gapped, std::string_view fill) {
  const size_t gap = gapped.program.find(kGap);
  return fmt::format("{}{}{}{}{}", gapped.program.substr(0, gap), gapped.line ? "" : "(", fill,
                     gapped.line ? "" : ")", gapped.program.substr(gap + kGap.size()));
}

// What the completed program prints; nothing if it stops with an error.
std::optional<std::string> output_of(const Gapped& gapped, std::string_view fill) {
  try {
    python::Limits limits;
    limits.steps = 5000;
    return python::run(completed(gapped, fill), limits);
  } catch (const Error&) {
    return {};
  }
}

std::string call_text(Arguments arguments, Rng& rng) {
  const auto number = [&] { return 2 + rng.below(8); };
  std::string text;
  switch (arguments) {
    case Arguments::kOne:
      text = fmt::format("{}", number());
      break;
    case Arguments::kTwo: {
      const uint64_t first = number();
      text = fmt::format("{}, {}", first, number());
      break;
    }
    case Arguments::kList: {
      const uint64_t first = number();
      const uint64_t second = number();
      text = fmt::format("[{}, {}, {}]", first, second, number());
      break;
    }
  }
  return fmt::format("print(f({}))\n", text);
}

// Whether the expression depends on a variable: calls, True and False are none.
bool has_variable(std::string_view text) {
  const python::Program program = python::parse(text);
  return std::ranges::any_of(program.expressions, [](const python::Expression& node) {
    return node.kind == python::Expression::Kind::kName;
  });
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

// The numbers that are written in `text`.
std::vector<std::string_view> literals(std::string_view text) {
  std::vector<std::string_view> found;
  for (size_t i = 0; i < text.size(); ++i) {
    const size_t start = i;
    while (i < text.size() && std::isdigit(static_cast<unsigned char>(text[i]))) ++i;
    if (i > start) found.push_back(text.substr(start, i - start));
  }
  return found;
}

// Whether `text` writes down every line that is wanted, instead of computing it.
bool recites(std::string_view text, std::string_view wanted) {
  const std::vector<std::string_view> numbers = literals(text);
  return std::ranges::all_of(lines_of(wanted), [&](std::string_view line) {
    return std::ranges::find(numbers, line.substr(line.starts_with('-') ? 1 : 0)) != numbers.end();
  });
}

std::string joined_lines(std::string_view text) {
  std::string out;
  for (const std::string_view line : lines_of(text)) {
    if (!out.empty()) out += ", ";
    out += line;
  }
  return out;
}

struct Draw {
  const Family* family = nullptr;
  int number = 0;
  Gapped gapped;
};

Draw random_draw(int level, Rng& rng) {
  Draw draw;
  for (;;) {
    draw.gapped.line = level == 2;
    draw.family = level == 2 ? &kLines[rng.below(kLines.size())]
                             : &kExpressions[rng.below(kExpressions.size())];
    draw.number = 2 + static_cast<int>(rng.below(5));
    draw.gapped.program = with_number(draw.family->body, draw.number);
    for (int i = 0; i < 2; ++i) draw.gapped.program += call_text(draw.family->arguments, rng);
    draw.gapped.fill = with_number(draw.family->fills[rng.below(kFills)], draw.number);
    const auto wanted = output_of(draw.gapped, draw.gapped.fill);
    if (!wanted) continue;
    draw.gapped.wanted = *wanted;
    // Two calls of one result would say too little of what is missing.
    const std::vector<std::string_view> lines = lines_of(draw.gapped.wanted);
    const bool brief = std::ranges::all_of(lines, [](auto line) { return line.size() <= 4; });
    if (lines[0] != lines[1] && brief && !recites(draw.gapped.fill, draw.gapped.wanted)) {
      return draw;
    }
  }
}

// Fills are tried until one gives what is wanted.
std::string search(const Draw& draw, Language language, Rng& rng) {
  std::string text = fmt::format("{}: {}", in_language(code_text::kTry, language),
                                 joined_lines(draw.gapped.wanted));
  const size_t start = rng.below(kFills);
  const size_t misses = rng.below(3);
  for (size_t i = 0, written = 0; i < kFills && written < misses; ++i) {
    const std::string fill = with_number(draw.family->fills[(start + i) % kFills], draw.number);
    const auto output = output_of(draw.gapped, fill);
    if (!output || *output == draw.gapped.wanted) continue;
    ++written;
    text += fmt::format("\n{} → {} {}", fill, joined_lines(*output),
                        in_language(code_text::kMiss, language));
  }
  return text + fmt::format("\n{} → {} {}", draw.gapped.fill, joined_lines(draw.gapped.wanted),
                            in_language(code_text::kHit, language));
}

// The parts of Problem::solution: the fill, the program and the output, between empty lines.
std::string packed(const Gapped& gapped) {
  return fmt::format("{}\n\n{}\n{}", gapped.fill, gapped.program, gapped.wanted);
}

std::optional<Gapped> unpacked(std::string_view solution, int level) {
  const size_t first = solution.find("\n\n");
  if (first == std::string_view::npos) return {};
  const size_t second = solution.find("\n\n", first + 2);
  if (second == std::string_view::npos) return {};
  Gapped gapped;
  gapped.line = level == 2;
  gapped.fill = solution.substr(0, first);
  gapped.program = solution.substr(first + 2, second + 1 - first - 2);
  gapped.wanted = solution.substr(second + 2);
  if (gapped.program.find(kGap) == std::string::npos) return {};
  return gapped;
}

// Means by which an expression tells one call from another, so that it can list the wanted results
// instead of computing them.
struct Distinctions {
  bool compares = false;
  bool joins = false;    // and, or, not
  bool selects = false;  // an element or a slice
  bool raises = false;   // to a power that is no literal: 0 ** (n - 4) is 1 for 4 and 0 above it

  bool within(const Distinctions& others) const {
    return compares <= others.compares && joins <= others.joins && selects <= others.selects &&
           raises <= others.raises;
  }
};

// `fill` must be in the subset.
Distinctions distinctions_of(std::string_view fill) {
  using Kind = python::Expression::Kind;
  using python::Operator;
  const python::Program program = python::parse(fill);
  const auto literal = [&](int index) { return program.expressions[index].kind == Kind::kInteger; };
  Distinctions found;
  for (const python::Expression& node : program.expressions) {
    const bool one = node.operators.size() == 1;
    found.compares |= node.kind == Kind::kCompare;
    found.joins |= node.kind == Kind::kAnd || node.kind == Kind::kOr ||
                   (node.kind == Kind::kUnary && one && node.operators[0] == Operator::kNot);
    found.selects |= node.kind == Kind::kIndex || node.kind == Kind::kSlice;
    found.raises |= node.kind == Kind::kBinary && one && node.operators[0] == Operator::kPower &&
                    !literal(node.children[1]);
  }
  for (const python::Statement& statement : program.body) {
    found.raises |= statement.kind == python::Statement::Kind::kAugmented &&
                    statement.op == Operator::kPower && !literal(statement.value);
  }
  return found;
}

bool allowed(const Gapped& gapped, std::string_view fill) {
  if (fill.size() > kMostFillBytes) return false;
  if (fill.find_first_of("\n\r;#\\") != std::string_view::npos) return false;
  if (fill.find("print") != std::string_view::npos) return false;
  // A text counts as true wherever a condition is asked for.
  constexpr std::string_view kQuotes = "\"'";
  if (gapped.fill.find_first_of(kQuotes) == std::string::npos &&
      fill.find_first_of(kQuotes) != std::string_view::npos) {
    return false;
  }
  if (gapped.line ? !python::is_assignment(fill) : !python::is_expression(fill)) return false;
  if (!distinctions_of(fill).within(distinctions_of(gapped.fill))) return false;
  const std::string_view right = gapped.line ? fill.substr(fill.find('=') + 1) : fill;
  if (!gapped.line && has_variable(gapped.fill) && !has_variable(right)) return false;
  return !recites(fill, gapped.wanted);
}

class Complete final : public Task {
 public:
  std::string_view name() const override { return "complete"; }
  int levels() const override { return 2; }

  Problem make(Language language, int level, Split split, Rng& rng) const override {
    Draw draw = random_draw(level, rng);
    while (held_out_key("complete " + packed(draw.gapped)) != (split == Split::kHeldOut)) {
      draw = random_draw(level, rng);
    }
    const Phrase& question = code_text::kComplete[rng.below(code_text::kComplete.size())];
    const Phrase& what = level == 2 ? code_text::kLine : code_text::kExpression;
    Problem problem;
    problem.task = name();
    problem.language = language;
    problem.level = level;
    problem.question = fmt::format(
        "{}\n```python\n{}```\n{}\n```\n{}```",
        filled(in_language(question, language), {{"what", in_language(what, language)}}),
        draw.gapped.program, in_language(code_text::kWanted, language), draw.gapped.wanted);
    problem.reasoning = search(draw, language, rng);
    problem.answer = boxed_answer(language, draw.gapped.fill);
    problem.solution = packed(draw.gapped);
    return problem;
  }

  bool accepts(const Problem& problem, std::string_view reply) const override {
    const auto box = boxed_content(reply);
    const auto gapped = unpacked(problem.solution, problem.level);
    return box && gapped && allowed(*gapped, *box) && output_of(*gapped, *box) == gapped->wanted;
  }
};

}  // namespace

const Task& complete_task() {
  static const Complete kTask;
  return kTask;
}

}  // namespace minke
