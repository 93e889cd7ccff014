#pragma once

#include <string_view>
#include <vector>

#include "text/grammar/automaton.h"
#include "text/grammar/budget.h"

namespace minke {

// A deterministic automaton over bytes: the edges of a state are disjoint and in order, it starts
// in state 0, and every state leads to one that accepts. Without states it accepts nothing.
struct Dfa {
  struct State {
    std::vector<ByteEdge> edges;
    bool accept = false;
  };
  std::vector<State> states;

  bool empty() const { return states.empty(); }
  bool accepts(std::string_view text) const;
};

// What `nfa`, which calls no rules, accepts from `start`.
Dfa determinise(const Automaton& nfa, int32_t start, Budget& budget);

// The texts of both.
Dfa intersect(const Dfa& a, const Dfa& b, Budget& budget);
// The texts of `a` that are none of `b`.
Dfa subtract(const Dfa& a, const Dfa& b, Budget& budget);

// The states from which the end is reached are kept. Makes a Dfa of any deterministic states.
Dfa trimmed(Dfa dfa);

// Whether every beginning of a text can go on to infinitely many texts.
bool is_endless(const Dfa& dfa);

// The text alone.
Dfa dfa_of(std::string_view text);

}  // namespace minke
