#pragma once

#include <vector>

#include "learn/data/encoder.h"

namespace minke {

// How a problem is written: see DocumentEncoder.
enum class ProblemForm { kText, kChat };

// A kind of problem and its share of the documents.
struct ProblemShare {
  const Task* task = nullptr;
  Language language = Language::kEnglish;
  int level = 1;
  ProblemForm form = ProblemForm::kText;
  double weight = 1;  // relative to those of the other shares
};

// Problems made when they are asked for; none is stored.
class TaskDocuments : public DocumentSource {
 public:
  // Throws Error if there is no share, for a weight that is not a positive number, and for a level
  // that the task does not have. `encoder` and the tasks must outlive this.
  TaskDocuments(const DocumentEncoder& encoder, std::vector<ProblemShare> shares, Split split,
                uint64_t seed);

  Document document(uint64_t n) const override;
  // The problem of document n, and the share it is of.
  struct Made {
    Problem problem;
    const ProblemShare& share;
  };
  Made make(uint64_t n) const;

 private:
  const DocumentEncoder* encoder_;
  std::vector<ProblemShare> shares_;
  std::vector<double> ends_;  // sums of the weights up to each share
  Split split_;
  uint64_t seed_;
};

}  // namespace minke
