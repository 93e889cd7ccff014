#include "learn/tasks/language_consistency.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <unordered_set>
#include <utility>

#include "learn/tasks/python/lexer.h"
#include "learn/tasks/python/operations.h"
#include "learn/tasks/words/known_words.h"
#include "learn/tasks/words/words.h"

namespace minke {
namespace {

Script script_of(Language language) {
  switch (language) {
    case Language::kArabic:
      return Script::kArabic;
    case Language::kChinese:
      return Script::kHan;
    case Language::kHindi:
      return Script::kDevanagari;
    case Language::kEnglish:
    case Language::kGerman:
    case Language::kIndonesian:
      break;
  }
  return Script::kLatin;
}

std::unordered_set<std::string> words_of(std::string_view text) {
  std::unordered_set<std::string> words;
  WordReader reader(text);
  while (auto word = reader.next()) words.insert(std::move(word->folded));
  return words;
}

// Commands of LaTeX that answers are written with. A backslash alone makes no notation of a word.
constexpr std::string_view kCommands[] = {
    "angle", "approx", "bar",   "begin", "binom",      "bmod",     "boxed",  "cdot",   "cdots",
    "circ",  "cos",    "cot",   "dfrac", "div",        "dots",     "end",    "equiv",  "exp",
    "frac",  "gcd",    "geq",   "ge",    "hat",        "implies",  "infty",  "int",    "ldots",
    "left",  "leq",    "le",    "lim",   "ln",         "log",      "mathbf", "mathrm", "max",
    "mbox",  "min",    "mod",   "neq",   "ne",         "overline", "pi",     "pm",     "pmod",
    "prod",  "qquad",  "quad",  "right", "rightarrow", "sin",      "sqrt",   "sum",    "tan",
    "text",  "textbf", "tfrac", "theta", "times",      "to",       "vec"};

bool is_command(const Word& word) {
  return word.command && std::ranges::find(kCommands, word.folded) != std::end(kCommands);
}

// Whether the word is what formulas and programs are written with in every language.
bool is_notation(const Word& word) {
  if (word.script != Script::kLatin && word.script != Script::kSymbol) return false;
  return word.letters == 1 || is_command(word) || word.folded == "boxed" || word.text == "append" ||
         python::is_keyword(word.text) || python::is_builtin(word.text);
}

}  // namespace

double LanguageShare::share() const {
  return judged == 0 ? 1 : static_cast<double>(expected) / static_cast<double>(judged);
}

LanguageShare language_share(std::string_view thinking, std::string_view question,
                             Language language) {
  const Script wanted = script_of(language);
  const auto asked = words_of(question);
  LanguageShare share;
  WordReader reader(thinking);
  while (const auto word = reader.next()) {
    if (is_notation(*word) || asked.contains(word->folded)) continue;
    bool expected = word->script == wanted;
    if (expected && wanted == Script::kLatin) {
      const KnownIn known = known_in(word->folded);
      if (!known.anywhere()) continue;
      expected = known.in(language);
    }
    ++share.judged;
    share.expected += expected;
  }
  return share;
}

}  // namespace minke
