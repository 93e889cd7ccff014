#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "learn/eval/questions.h"
#include "learn/eval/reply.h"
#include "learn/eval/statistics.h"

namespace minke {

// What is known of the replies to some questions. A question counts when all its samples are there.
struct Tally {
  int64_t questions = 0, replies = 0;
  int64_t right = 0, cut = 0, tokens = 0;  // of the replies
  double thinking = 0;                     // sum of the replies' language_share()
  std::vector<double> passed;  // for each of Scoreboard::draws(), sum of the questions' pass_at()

  void add(const Tally& other);
  // Mean over the questions of pass@1, which is the share of right replies. NaN without questions;
  // so are the others.
  double accuracy() const;
  double pass(size_t draw) const;
  double tokens_per_reply() const;
  double cut_share() const;
  // Mean over the replies.
  double thinking_in_language() const;
  // Of the accuracy and of pass(), with the questions as trials.
  Interval interval() const;
  Interval pass_interval(size_t draw) const;
};

struct Cell {
  std::string task;
  Language language;
  int level;
  Tally tally;
};

struct WrongReply {
  size_t question = 0;
  Reply reply;
};

// Judges replies as they come, in any order.
class Scoreboard {
 public:
  // The questions must outlive it. Of wrong replies the `shown` to the first questions are kept,
  // at most one for each.
  Scoreboard(std::span<const Question> questions, int64_t samples, int64_t shown);

  void add(size_t question, Reply reply);

  std::span<const Question> questions() const { return questions_; }
  int64_t samples() const { return samples_; }
  int64_t expected_replies() const { return samples_ * static_cast<int64_t>(questions_.size()); }
  int64_t seen_replies() const { return seen_; }
  bool complete() const { return seen_ == expected_replies(); }
  // The numbers k of pass@k: powers of two up to the samples, and the samples.
  const std::vector<int64_t>& draws() const { return draws_; }
  // In the order of the questions.
  const std::vector<Cell>& cells() const { return cells_; }
  const std::vector<WrongReply>& wrong() const { return wrong_; }

  // The sum of the cells that `choose` takes.
  template <typename Choose>
  Tally sum(const Choose& choose) const {
    Tally total;
    for (const Cell& cell : cells_) {
      if (choose(cell)) total.add(cell.tally);
    }
    return total;
  }
  Tally all() const {
    return sum([](const Cell&) { return true; });
  }

 private:
  void keep_wrong(size_t question, Reply reply);

  std::span<const Question> questions_;
  int64_t samples_;
  size_t shown_;
  int64_t seen_ = 0;
  std::vector<int64_t> draws_;
  std::vector<Cell> cells_;
  std::vector<size_t> cell_of_;  // of each question
  std::vector<Tally> pending_;   // of each question
  std::vector<WrongReply> wrong_;
};

}  // namespace minke
