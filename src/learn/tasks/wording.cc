#include "learn/tasks/wording.h"

#include <algorithm>

#include <fmt/core.h>

#include "base/core/check.h"
#include "learn/tasks/boxed.h"
#include "learn/tasks/number_words.h"

namespace minke {
namespace {

// One question in this many does not write its numbers in ASCII digits.
constexpr uint64_t kRewrittenOneIn = 5;

}  // namespace

Wording::Wording(Language language, Rng& rng)
    : language_(language), phrases_(phrases_of(language)) {
  girl_ = draw_one(phrases_.girls, rng);
  boy_ = draw_one(phrases_.boys, rng);
  const bool rewritten = rng.below(kRewrittenOneIn) == 0;
  const bool words = rng.below(2) == 0 || !has_native_digits(language);
  if (rewritten) numbers_ = words ? Numbers::kWords : Numbers::kNative;
}

void Wording::say(std::string_view sentence, std::initializer_list<int> numbers, People people) {
  if (!question_.empty()) question_ += phrases_.sentence_space;
  size_t used = 0;
  while (!sentence.empty()) {
    const size_t open = std::min(sentence.find('{'), sentence.size());
    question_ += sentence.substr(0, open);
    sentence.remove_prefix(open);
    if (sentence.empty()) break;
    const size_t close = sentence.find('}');
    CHECK(close != std::string_view::npos);
    question_ += slot(sentence.substr(1, close - 1), numbers, used, people);
    sentence.remove_prefix(close + 1);
  }
  CHECK(used == numbers.size());
}

std::string Wording::slot(std::string_view tag, std::initializer_list<int> numbers, size_t& used,
                          People people) {
  if (tag == "n" || tag == "d") {
    CHECK(used < numbers.size());
    const bool no_words = tag == "d" && numbers_ == Numbers::kWords;
    return written(numbers.begin()[used++], no_words ? Numbers::kNative : numbers_);
  }
  const std::string_view name = tag == "a"      ? people.a
                                : tag == "b"    ? people.b
                                : tag == "girl" ? girl_
                                : tag == "boy"  ? boy_
                                                : std::string_view();
  CHECK(!name.empty());
  return std::string(name);
}

std::string Wording::written(int n, Numbers how) {
  const std::string ascii = std::to_string(n);
  const std::string text = how == Numbers::kAscii    ? ascii
                           : how == Numbers::kNative ? native_digits(language_, n)
                           : language_ == Language::kArabic
                               ? number_words(language_, n)
                               : number_words_before_noun(language_, n);
  if (text != ascii) {
    restated_ += fmt::format("{}{} = {}", restated_.empty() ? "" : ", ", text, ascii);
  }
  return text;
}

std::string Wording::restated() const {
  return restated_.empty() ? "" : restated_ + "\n";
}

std::string_view step_word(const StepWords& words, Op op) {
  const std::string_view by_op[] = {words.more, words.fewer, words.times, words.shared};
  return by_op[static_cast<int>(op)];
}

bool draw_held_out_wording(Split split, Rng& rng) {
  return split == Split::kHeldOut && rng.below(2) == 0;
}

bool box_holds(std::string_view reply, std::string_view solution) {
  const auto content = boxed_content(reply);
  if (!content) return false;
  const auto expected = integer_of(solution);
  return expected ? integer_of(*content) == expected : *content == solution;
}

}  // namespace minke
