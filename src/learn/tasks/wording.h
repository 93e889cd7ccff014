#pragma once

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

#include "base/core/rng.h"
#include "learn/tasks/chain.h"
#include "learn/tasks/phrases/phrases.h"
#include "learn/tasks/task.h"

namespace minke {

// The people a sentence calls {a} and {b}.
struct People {
  std::string_view a = {};
  std::string_view b = {};
};

// Puts a question together from sentences of phrases.h: names and the script of the numbers are
// drawn once for the whole question.
class Wording {
 public:
  Wording(Language language, Rng& rng);

  // Adds a sentence; `numbers` stand in it in this order.
  void say(std::string_view sentence, std::initializer_list<int> numbers = {}, People people = {});
  const std::string& question() const { return question_; }
  // The numbers that the question does not write in ASCII digits, in ASCII digits: a line
  // "fünf = 5, zwölf = 12\n", or nothing.
  std::string restated() const;

 private:
  enum class Numbers { kAscii, kNative, kWords };

  std::string slot(std::string_view tag, std::initializer_list<int> numbers, size_t& used,
                   People people);
  std::string written(int n, Numbers how);

  Language language_;
  const Phrases& phrases_;
  Numbers numbers_ = Numbers::kAscii;
  std::string_view girl_;
  std::string_view boy_;
  std::string question_;
  std::string restated_;
};

// The word that begins the line of a worked step.
std::string_view step_word(const StepWords& words, Op op);

// Of a list of phrases, those of the side: the last fifth is held out.
template <typename T>
std::span<const T> of_side(std::span<const T> all, bool held_out) {
  const size_t kept = all.size() - all.size() / 5;
  return held_out ? all.subspan(kept) : all.first(kept);
}

template <typename T>
const T& draw_one(std::span<const T> all, Rng& rng) {
  return all[rng.below(all.size())];
}

// Whether wording that is held out is used: always trained wording for training, and either for
// measuring, where the numbers are held out in any case.
bool draw_held_out_wording(Split split, Rng& rng);

// Whether the one box of `reply` holds `solution`: the same integer in any digits, or the same
// name.
bool box_holds(std::string_view reply, std::string_view solution);

}  // namespace minke
