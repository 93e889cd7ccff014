#pragma once

#include <bitset>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "text/grammar/budget.h"

namespace minke {

using ByteSet = std::bitset<256>;

struct ByteEdge {
  uint8_t lo = 0, hi = 0;  // inclusive
  int32_t target = 0;

  bool operator==(const ByteEdge&) const = default;
};

// A pushdown automaton over bytes, as a set of rules that call one another. A rule is a
// nondeterministic automaton: it begins in its start state and ends in any state that accepts.
struct Automaton {
  static constexpr int32_t kNoRule = -1;

  struct Jump {
    int32_t rule = kNoRule;  // called on the way, kNoRule: nothing is
    int32_t target = 0;
  };
  struct State {
    std::vector<ByteEdge> edges;
    std::vector<Jump> jumps;
    bool accept = false;
  };
  struct Rule {
    std::string name;  // for errors
    int32_t start = 0;
  };

  std::vector<State> states;
  std::vector<Rule> rules;
};

// The states from which the end of their rule can be reached with `bytes` alone. With no bytes:
// with the empty text.
std::vector<bool> live_states(const Automaton& automaton, const ByteSet& bytes);

// The states behind which nothing but the end of their rule follows.
std::vector<bool> final_states(const Automaton& automaton);

struct Dfa;

// Makes an automaton, within the budget.
class AutomatonBuilder {
 public:
  explicit AutomatonBuilder(Budget& budget) : budget_(&budget) {}

  int32_t add_state();
  // A rule with a new start state.
  int32_t add_rule(std::string name);
  // A rule that accepts `before`, a text of `dfa`, `after`.
  int32_t add_rule(std::string name, std::string_view before, const Dfa& dfa,
                   std::string_view after);
  // All rules of `other`; returns what its rule `root` is here.
  int32_t add_rules(const Automaton& other, int32_t root);
  int32_t start(int32_t rule) const { return automaton_.rules[static_cast<size_t>(rule)].start; }

  void add_bytes(int32_t from, uint8_t lo, uint8_t hi, int32_t to);
  void add_jump(int32_t from, int32_t to);
  void add_call(int32_t from, int32_t rule, int32_t to);
  // Returns the state behind `text`.
  int32_t add_text(int32_t from, std::string_view text);
  void accept(int32_t state) { at(state).accept = true; }

  Budget& budget() { return *budget_; }
  const Automaton& automaton() const { return automaton_; }
  Automaton take() { return std::move(automaton_); }

 private:
  Automaton::State& at(int32_t state) { return automaton_.states[static_cast<size_t>(state)]; }

  Budget* budget_;
  Automaton automaton_;
};

}  // namespace minke
