#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/core/rng.h"

namespace minke {

// Problems that a program can make without end and whose solutions it can check.

enum class Language { kArabic, kChinese, kEnglish, kGerman, kHindi, kIndonesian };
inline constexpr std::array kLanguages = {Language::kArabic,  Language::kChinese,
                                          Language::kEnglish, Language::kGerman,
                                          Language::kHindi,   Language::kIndonesian};
// "ar", "zh", "en", "de", "hi", "id" (ISO 639-1).
std::string_view language_code(Language language);
// Throws Error for any other code.
Language language_from_code(std::string_view code);

// Which problems may be trained on, and which are kept for measuring. A problem belongs to one of
// the two by a hash of its numbers, the same hash in every language, so that no held-out problem
// is seen in translation; of some tasks, wordings of every language are kept for measuring as well.
enum class Split { kTrain, kHeldOut };

struct Problem {
  std::string_view task;  // name of the Task that made it
  Language language = Language::kEnglish;
  int level = 1;
  std::string question;   // what the user asks, in the language
  std::string reasoning;  // worked steps in the language: what stands between <think> and </think>
  std::string answer;     // what follows, with the result in \boxed{}
  std::string solution;   // what the checker compares with or needs; not shown to a model
};

// A family of problems. Stateless.
class Task {
 public:
  virtual ~Task() = default;

  virtual std::string_view name() const = 0;  // "sums"
  // Difficulty goes from 1 to levels(); what each level asks stands in the task's file and in
  // docs/tasks.md.
  virtual int levels() const = 0;
  // The problem that `rng` leads to: the same state gives the same problem on every machine.
  virtual Problem make(Language language, int level, Split split, Rng& rng) const = 0;
  // Whether `reply`, all that a model wrote after its thinking, solves the problem. Strict: exactly
  // one \boxed{}, whose content is the solution and nothing else. Never throws, whatever the bytes.
  virtual bool accepts(const Problem& problem, std::string_view reply) const = 0;
};

std::span<const Task* const> all_tasks();
// Throws Error that lists the names if there is no such task.
const Task& task_named(std::string_view name);

}  // namespace minke
