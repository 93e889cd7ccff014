#include "learn/eval/scoreboard.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include "base/core/check.h"
#include "learn/tasks/language_consistency.h"

namespace minke {
namespace {

double ratio(double part, int64_t whole) {
  return whole > 0 ? part / static_cast<double>(whole) : std::nan("");
}

}  // namespace

void Tally::add(const Tally& other) {
  questions += other.questions;
  replies += other.replies;
  right += other.right;
  cut += other.cut;
  tokens += other.tokens;
  thinking += other.thinking;
  passed.resize(std::max(passed.size(), other.passed.size()));
  for (size_t i = 0; i < other.passed.size(); ++i) passed[i] += other.passed[i];
}

double Tally::accuracy() const {
  return ratio(static_cast<double>(right), replies);
}

double Tally::pass(size_t draw) const {
  return draw < passed.size() ? ratio(passed[draw], questions) : std::nan("");
}

double Tally::tokens_per_reply() const {
  return ratio(static_cast<double>(tokens), replies);
}

double Tally::cut_share() const {
  return ratio(static_cast<double>(cut), replies);
}

double Tally::thinking_in_language() const {
  return ratio(thinking, replies);
}

Interval Tally::interval() const {
  return questions > 0 ? wilson(accuracy(), questions) : Interval{};
}

Interval Tally::pass_interval(size_t draw) const {
  return questions > 0 && draw < passed.size() ? wilson(pass(draw), questions) : Interval{};
}

Scoreboard::Scoreboard(std::span<const Question> questions, int64_t samples, int64_t shown)
    : questions_(questions),
      samples_(samples),
      shown_(static_cast<size_t>(shown)),
      pending_(questions.size()) {
  CHECK(samples > 0 && shown >= 0);
  for (int64_t k = 1; k < samples; k *= 2) draws_.push_back(k);
  draws_.push_back(samples);
  std::map<std::tuple<std::string, Language, int>, size_t> index;
  for (const Question& q : questions) {
    const auto [at, fresh] = index.try_emplace({q.task, q.language, q.level}, cells_.size());
    if (fresh) cells_.push_back({q.task, q.language, q.level, {}});
    cell_of_.push_back(at->second);
  }
}

void Scoreboard::keep_wrong(size_t question, Reply reply) {
  const auto place = std::ranges::lower_bound(wrong_, question, {}, &WrongReply::question);
  if (place != wrong_.end() && place->question == question) return;
  wrong_.insert(place, {question, std::move(reply)});
  if (wrong_.size() > shown_) wrong_.pop_back();
}

void Scoreboard::add(size_t question, Reply reply) {
  CHECK(question < questions_.size() && pending_[question].replies < samples_);
  const Question& asked = questions_[question];
  Tally& tally = pending_[question];
  const bool right = asked.accepts(reply.content);
  ++seen_;
  ++tally.replies;
  tally.right += right;
  tally.cut += reply.cut;
  tally.tokens += reply.tokens;
  tally.thinking += language_share(reply.reasoning, asked.text, asked.language).share();
  if (!right) keep_wrong(question, std::move(reply));
  if (tally.replies < samples_) return;
  tally.questions = 1;
  for (const int64_t k : draws_) tally.passed.push_back(pass_at(k, samples_, tally.right));
  cells_[cell_of_[question]].tally.add(tally);
}

}  // namespace minke
