#include <algorithm>
#include <array>
#include <set>
#include <vector>

#include <fmt/core.h>
#include <fmt/ranges.h>

#include "learn/tasks/boxed.h"
#include "learn/tasks/checkable.h"
#include "learn/tasks/formula.h"
#include "learn/tasks/phrases/phrase.h"
#include "learn/tasks/split.h"

namespace minke {
namespace {

// Numbers that are to be combined to a target. A search is written as it goes, one try a line.

constexpr std::array<Phrase, 4> kQuestions = {{
    {"استخدم كل عدد من الأعداد {numbers} مرة واحدة بالضبط مع + و - و * و / للحصول على {target}. "
     "اكتب العملية الحسابية.",
     "用 + - * / 把 {numbers} 每个数恰好用一次，算出 {target}。请写出算式。",
     "Use each of the numbers {numbers} exactly once with + - * / to get {target}. Give the "
     "expression.",
     "Verwende jede der Zahlen {numbers} genau einmal mit + - * /, um {target} zu erhalten. Gib "
     "den Ausdruck an.",
     "संख्याओं {numbers} में से हर एक का ठीक एक बार + - * / के साथ उपयोग करके "
     "{target} बनाइए। व्यंजक लिखिए।",
     "Gunakan setiap bilangan {numbers} tepat satu kali dengan + - * / untuk mendapatkan "
     "{target}. Tulis ekspresinya."},
    {"الأعداد: {numbers}. الهدف: {target}. كوّن الهدف باستخدام كل عدد مرة واحدة بالضبط و + - * /.",
     "数字：{numbers}。目标：{target}。每个数恰好用一次，用 + - * / 得到目标。",
     "Numbers: {numbers}. Target: {target}. Reach the target with each number exactly once and "
     "+ - * /.",
     "Zahlen: {numbers}. Ziel: {target}. Erreiche das Ziel mit jeder Zahl genau einmal und "
     "+ - * /.",
     "संख्याएँ: {numbers}। लक्ष्य: {target}। हर संख्या ठीक एक बार लेकर + - * / से लक्ष्य बनाइए।",
     "Bilangan: {numbers}. Target: {target}. Capai target dengan setiap bilangan tepat satu kali "
     "dan + - * /."},
    {"كيف نحصل على {target} من الأعداد {numbers} باستخدام + - * /، وكل عدد مرة واحدة بالضبط؟",
     "怎样用 {numbers} 和 + - * / 得到 {target}？每个数恰好用一次。",
     "How can you make {target} from {numbers} with + - * /, each number exactly once?",
     "Wie ergibt sich {target} aus {numbers} mit + - * /, jede Zahl genau einmal?",
     "{numbers} से + - * / द्वारा {target} कैसे बनेगा, जब हर संख्या ठीक एक बार आए?",
     "Bagaimana membuat {target} dari {numbers} dengan + - * /, setiap bilangan tepat satu kali?"},
    {"اكتب عملية حسابية قيمتها {target} تحتوي على كل من {numbers} مرة واحدة بالضبط وعلى + - * / "
     "فقط.",
     "写一个等于 {target} 的算式，{numbers} 每个数恰好出现一次，只用 + - * /。",
     "Write an expression worth {target} that holds each of {numbers} exactly once and only "
     "+ - * /.",
     "Schreibe einen Ausdruck mit dem Wert {target}, der jede der Zahlen {numbers} genau einmal "
     "enthält und nur + - * /.",
     "ऐसा व्यंजक लिखिए जिसका मान {target} हो, जिसमें {numbers} में से हर संख्या ठीक "
     "एक बार हो और केवल "
     "+ - * /।",
     "Tulis ekspresi bernilai {target} yang memuat setiap bilangan {numbers} tepat satu kali dan "
     "hanya + - * /."},
}};
constexpr Phrase kSearch = {
    "نجرّب:", "试一试：", "Let us try:", "Probieren wir:", "कोशिश करते हैं:", "Mari kita coba:"};
constexpr Phrase kMiss = {"لا", "不对", "no", "nein", "नहीं", "bukan"};
constexpr Phrase kHit = {"نعم", "对", "yes", "ja", "हाँ", "ya"};

constexpr int kLargestResult = 500;  // of a step, so that the numbers stay short
constexpr std::array<size_t, 3> kMostTries = {4, 8, 12};
// A rough count of tokens that the tries which fail may take together.
constexpr size_t kTryTokens = 75;

struct Term {
  int value = 0;
  std::string text;  // "5", "5 + 3"
  int strength = 3;  // of the operator outermost: 1 of + and -, 2 of * and /, 3 of a number
};

// One way through the numbers: its steps, and the term they end in.
struct Attempt {
  std::vector<std::string> steps;  // "5 + 3 = 8"
  Term end;
};

std::string inside(const Term& term, int strength) {
  return term.strength < strength ? fmt::format("({})", term.text) : term.text;
}

// `a op b`, or a term of value -1 if it is not allowed.
Term joined(const Term& a, char op, const Term& b) {
  const int strength = op == '+' || op == '-' ? 1 : 2;
  const int right = op == '+' || op == '*' ? strength : strength + 1;
  Term term{-1, fmt::format("{} {} {}", inside(a, strength), op, inside(b, right)), strength};
  if (op == '+') term.value = a.value + b.value;
  if (op == '-') term.value = a.value - b.value;
  if (op == '*') term.value = a.value * b.value;
  if (op == '/' && b.value != 0 && a.value % b.value == 0) term.value = a.value / b.value;
  if (term.value > kLargestResult) term.value = -1;
  return term;
}

// Joins two terms by chance until one is left.
Attempt random_attempt(const std::vector<int>& numbers, Rng& rng) {
  std::vector<Term> terms;
  for (const int number : numbers) terms.push_back({number, std::to_string(number)});
  Attempt attempt;
  while (terms.size() > 1) {
    const size_t i = rng.below(terms.size());
    const size_t j = (i + 1 + rng.below(terms.size() - 1)) % terms.size();
    const char op = "+-*/"[rng.below(4)];
    Term term = joined(terms[i], op, terms[j]);
    if (term.value < 0) continue;
    attempt.steps.push_back(
        fmt::format("{} {} {} = {}", terms[i].value, op, terms[j].value, term.value));
    terms.erase(terms.begin() + static_cast<ptrdiff_t>(std::max(i, j)));
    terms.erase(terms.begin() + static_cast<ptrdiff_t>(std::min(i, j)));
    terms.push_back(std::move(term));
  }
  attempt.end = terms[0];
  return attempt;
}

size_t rough_tokens(std::string_view line) {
  return static_cast<size_t>(std::ranges::count_if(line, [](char c) { return c != ' '; }));
}

class Countdown final : public Task {
 public:
  std::string_view name() const override { return "countdown"; }
  int levels() const override { return 3; }

  Problem make(Language language, int level, Split split, Rng& rng) const override {
    std::vector<int> numbers;
    Attempt solution;
    for (;;) {
      numbers.resize(static_cast<size_t>(level) + 1);
      for (int& number : numbers) number = 1 + static_cast<int>(rng.below(level == 3 ? 50 : 20));
      solution = random_attempt(numbers, rng);
      if (solution.end.value < 1 || solution.end.value > 100) continue;
      std::vector<int> sorted = numbers;
      std::ranges::sort(sorted);
      const std::string canonical =
          fmt::format("countdown {} = {}", fmt::join(sorted, " "), solution.end.value);
      if (held_out_key(canonical) == (split == Split::kHeldOut)) break;
    }
    const std::string target = std::to_string(solution.end.value);
    const Phrase& question = kQuestions[rng.below(kQuestions.size())];
    Problem problem;
    problem.task = name();
    problem.language = language;
    problem.level = level;
    problem.question =
        filled(in_language(question, language),
               {{"numbers", fmt::format("{}", fmt::join(numbers, ", "))}, {"target", target}});
    problem.reasoning = search(language, level, numbers, solution, rng);
    problem.answer = boxed_answer(language, solution.end.text);
    problem.solution = fmt::format("{} = {}", fmt::join(numbers, " "), target);
    return problem;
  }

  bool accepts(const Problem& problem, std::string_view reply) const override {
    const auto box = boxed_content(reply);
    if (!box) return false;
    auto found = formula_value(*box);
    if (!found) return false;
    std::ranges::sort(found->numbers);
    const auto [numbers, target] = read_solution(problem.solution);
    return found->value == target && found->numbers == numbers;
  }

 private:
  // The sorted numbers and the target of "5 3 2 = 16"; no numbers if it is not of that form.
  static std::pair<std::vector<int64_t>, int64_t> read_solution(std::string_view solution) {
    const size_t equals = solution.find(" = ");
    if (equals == std::string_view::npos) return {};
    std::vector<int64_t> numbers;
    std::string_view left = solution.substr(0, equals);
    for (size_t space = 0; space != std::string_view::npos;) {
      space = left.find(' ');
      const auto number = integer_of(left.substr(0, space));
      if (!number) return {};
      numbers.push_back(*number);
      if (space != std::string_view::npos) left.remove_prefix(space + 1);
    }
    std::ranges::sort(numbers);
    const auto target = integer_of(solution.substr(equals + 3));
    if (!target) return {};
    return {numbers, *target};
  }

  static std::string search(Language language, int level, const std::vector<int>& numbers,
                            const Attempt& solution, Rng& rng) {
    std::string text(in_language(kSearch, language));
    const size_t most = kMostTries[static_cast<size_t>(level) - 1];
    const size_t wanted = rng.below(most);
    std::set<std::string> seen;
    size_t tokens = 0;
    // Small numbers have few ways, so that the draws are bounded too.
    for (size_t draw = 0; draw < 4 * most && seen.size() < wanted; ++draw) {
      const Attempt attempt = random_attempt(numbers, rng);
      if (attempt.end.value == solution.end.value) continue;
      const std::string line = fmt::format("{}", fmt::join(attempt.steps, ", "));
      if (seen.contains(line)) continue;
      tokens += rough_tokens(line) + 2;
      if (tokens > kTryTokens) break;
      text += fmt::format("\n{} {}", line, in_language(kMiss, language));
      seen.insert(line);
    }
    text += fmt::format("\n{} {}", fmt::join(solution.steps, ", "), in_language(kHit, language));
    return text;
  }
};

}  // namespace

const Task& countdown_task() {
  static const Countdown kTask;
  return kTask;
}

}  // namespace minke
