#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "learn/data/encoder.h"
#include "learn/eval/questions.h"
#include "learn/train/recipe/recipe.h"

namespace minke {

// Numbered questions without end. Question n is the same whenever it is asked for.
class PromptSource {
 public:
  virtual ~PromptSource() = default;
  virtual Question question(uint64_t n) const = 0;
  // How many there are before they come again; 0: without end.
  virtual uint64_t size() const = 0;
  // Tells a file's questions from others; "" for tasks, which the recipe has.
  virtual std::string fingerprint() const = 0;
};

// The problems of the recipe's tasks that may be trained on, or the questions of its file, again
// and again in another order each time. Throws Error for tasks and files that cannot be had.
// `encoder` must outlive the source.
std::unique_ptr<PromptSource> prompt_source(const Recipe& recipe, const DocumentEncoder& encoder);

// Which questions come next: new ones, and now and then one whose replies were all right the last
// time, so that what was learned does not get lost unseen (the easy pool of MiMo, arXiv 2505.07608,
// section 3.3).
class PromptOrder {
 public:
  // `easy_share`: of the questions, as long as the pool has any.
  explicit PromptOrder(double easy_share) : easy_share_(easy_share) {}

  // The numbers of the next `count` questions.
  std::vector<uint64_t> next(int64_t count);
  // All replies to question n were right. The pool keeps the last 256 such questions.
  void note_easy(uint64_t n);

  // A JSON object that from_json() goes on with. Throws Error, which begins with `where`, for any
  // other text.
  std::string json() const;
  void from_json(const std::string& text, const std::string& where);

 private:
  double easy_share_;
  double owed_ = 0;  // questions that the pool is behind its share
  uint64_t next_ = 0;
  std::deque<uint64_t> easy_;
};

}  // namespace minke
