#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "base/core/error.h"

namespace minke {

// What compiling the grammars of a stranger may cost, all that one request brings together.
struct GrammarLimits {
  size_t max_text = size_t{256} << 10;  // bytes of the schema or grammar
  int max_depth = 64;                   // groups, schemas and constants inside one another
  int64_t max_states = 200'000;         // states of the automaton, and of each one made on the way
  int64_t max_steps = 10'000'000;       // elementary steps, together well under a second
};

// Counts what compilations spend: one serves all grammars of a request. `place` is the part of the
// text that is being compiled; it begins the Error that is thrown when a limit is passed.
class Budget {
 public:
  explicit Budget(const GrammarLimits& limits) : limits_(limits), steps_left_(limits.max_steps) {}

  void set_place(std::string place) { place_ = std::move(place); }
  const std::string& place() const { return place_; }
  const GrammarLimits& limits() const { return limits_; }
  int64_t steps_left() const { return steps_left_; }

  void spend(int64_t steps) {
    steps_left_ -= steps;
    if (steps_left_ < 0) {
      fail(place_, "expected a grammar that compiles in {} steps, found one that needs more",
           limits_.max_steps);
    }
  }
  // `count` is the number of states so far.
  void check_states(size_t count) {
    spend(1);
    if (count > static_cast<size_t>(limits_.max_states)) {
      fail(place_, "expected a grammar of at most {} states, found a larger one",
           limits_.max_states);
    }
  }
  void check_depth(int depth) const {
    if (depth > limits_.max_depth) {
      fail(place_, "expected at most {} levels inside one another, found more", limits_.max_depth);
    }
  }
  void check_text(size_t bytes) const {
    if (bytes > limits_.max_text) {
      fail(place_, "expected at most {} bytes, found {}", limits_.max_text, bytes);
    }
  }

 private:
  GrammarLimits limits_;
  int64_t steps_left_;
  std::string place_;
};

}  // namespace minke
