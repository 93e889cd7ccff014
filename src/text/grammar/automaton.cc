#include "text/grammar/automaton.h"

#include <utility>

#include "text/grammar/dfa.h"

namespace minke {
namespace {

bool touches(const ByteEdge& edge, const ByteSet& bytes) {
  for (int b = edge.lo; b <= edge.hi; ++b) {
    if (bytes[static_cast<size_t>(b)]) return true;
  }
  return false;
}

// Where states are entered from, so that liveness spreads backwards in time linear in the edges.
struct Entries {
  struct Call {
    int32_t from, target;
  };
  std::vector<std::vector<int32_t>> plain;  // by state: those with a byte or nothing in between
  std::vector<std::vector<Call>> into;      // by state: calls that return to it
  std::vector<std::vector<Call>> of;        // by start state: calls of the rule
};

Entries find_entries(const Automaton& automaton, const ByteSet& bytes) {
  const size_t count = automaton.states.size();
  Entries out{std::vector<std::vector<int32_t>>(count),
              std::vector<std::vector<Entries::Call>>(count),
              std::vector<std::vector<Entries::Call>>(count)};
  for (size_t i = 0; i < count; ++i) {
    const auto from = static_cast<int32_t>(i);
    for (const ByteEdge& edge : automaton.states[i].edges) {
      if (touches(edge, bytes)) out.plain[static_cast<size_t>(edge.target)].push_back(from);
    }
    for (const Automaton::Jump& jump : automaton.states[i].jumps) {
      const auto target = static_cast<size_t>(jump.target);
      if (jump.rule == Automaton::kNoRule) {
        out.plain[target].push_back(from);
      } else {
        const int32_t start = automaton.rules[static_cast<size_t>(jump.rule)].start;
        out.into[target].push_back({from, start});
        out.of[static_cast<size_t>(start)].push_back({from, jump.target});
      }
    }
  }
  return out;
}

}  // namespace

std::vector<bool> live_states(const Automaton& automaton, const ByteSet& bytes) {
  const Entries entries = find_entries(automaton, bytes);
  std::vector<bool> live(automaton.states.size());
  std::vector<int32_t> work;
  const auto mark = [&](int32_t state) {
    if (live[static_cast<size_t>(state)]) return;
    live[static_cast<size_t>(state)] = true;
    work.push_back(state);
  };
  for (size_t i = 0; i < live.size(); ++i) {
    if (automaton.states[i].accept) mark(static_cast<int32_t>(i));
  }
  while (!work.empty()) {
    const auto state = static_cast<size_t>(work.back());
    work.pop_back();
    for (const int32_t from : entries.plain[state]) mark(from);
    // A call is passed once both what is called and what follows it are live.
    for (const auto& [from, start] : entries.into[state]) {
      if (live[static_cast<size_t>(start)]) mark(from);
    }
    for (const auto& [from, target] : entries.of[state]) {
      if (live[static_cast<size_t>(target)]) mark(from);
    }
  }
  return live;
}

std::vector<bool> final_states(const Automaton& automaton) {
  const size_t count = automaton.states.size();
  std::vector<std::vector<int32_t>> entries(count);
  std::vector<size_t> left(count);  // jumps of a state to states that are not known to be final
  std::vector<int32_t> work;
  for (size_t i = 0; i < count; ++i) {
    const Automaton::State& state = automaton.states[i];
    left[i] = state.jumps.size() + state.edges.size();
    for (const Automaton::Jump& jump : state.jumps) {
      if (jump.rule != Automaton::kNoRule) continue;
      entries[static_cast<size_t>(jump.target)].push_back(static_cast<int32_t>(i));
    }
    if (state.accept && left[i] == 0) work.push_back(static_cast<int32_t>(i));
  }
  std::vector<bool> out(count);
  while (!work.empty()) {
    const auto state = static_cast<size_t>(work.back());
    work.pop_back();
    out[state] = true;
    for (const int32_t from : entries[state]) {
      if (--left[static_cast<size_t>(from)] == 0) work.push_back(from);
    }
  }
  return out;
}

int32_t AutomatonBuilder::add_state() {
  budget_->check_states(automaton_.states.size() + 1);
  automaton_.states.emplace_back();
  return static_cast<int32_t>(automaton_.states.size() - 1);
}

int32_t AutomatonBuilder::add_rule(std::string name) {
  const int32_t start = add_state();
  automaton_.rules.push_back({std::move(name), start});
  return static_cast<int32_t>(automaton_.rules.size() - 1);
}

int32_t AutomatonBuilder::add_rule(std::string name, std::string_view before, const Dfa& dfa,
                                   std::string_view after) {
  const int32_t rule = add_rule(std::move(name));
  const int32_t entry = add_text(start(rule), before);
  const int32_t exit = add_state();
  accept(add_text(exit, after));
  const auto base = static_cast<int32_t>(automaton_.states.size());
  for (size_t i = 0; i < dfa.states.size(); ++i) add_state();
  for (size_t i = 0; i < dfa.states.size(); ++i) {
    const int32_t from = base + static_cast<int32_t>(i);
    for (const ByteEdge& edge : dfa.states[i].edges) {
      add_bytes(from, edge.lo, edge.hi, base + edge.target);
    }
    if (dfa.states[i].accept) add_jump(from, exit);
  }
  if (!dfa.empty()) add_jump(entry, base);
  return rule;
}

int32_t AutomatonBuilder::add_rules(const Automaton& other, int32_t root) {
  const auto first_state = static_cast<int32_t>(automaton_.states.size());
  const auto first_rule = static_cast<int32_t>(automaton_.rules.size());
  for (const Automaton::State& state : other.states) {
    const int32_t copy = add_state();
    at(copy).accept = state.accept;
    for (const ByteEdge& edge : state.edges) {
      add_bytes(copy, edge.lo, edge.hi, edge.target + first_state);
    }
    for (const Automaton::Jump& jump : state.jumps) {
      budget_->spend(1);
      const bool calls = jump.rule != Automaton::kNoRule;
      at(copy).jumps.push_back(
          {calls ? jump.rule + first_rule : Automaton::kNoRule, jump.target + first_state});
    }
  }
  for (const Automaton::Rule& rule : other.rules) {
    automaton_.rules.push_back({rule.name, rule.start + first_state});
  }
  return root + first_rule;
}

void AutomatonBuilder::add_bytes(int32_t from, uint8_t lo, uint8_t hi, int32_t to) {
  budget_->spend(1);
  at(from).edges.push_back({lo, hi, to});
}

void AutomatonBuilder::add_jump(int32_t from, int32_t to) {
  budget_->spend(1);
  at(from).jumps.push_back({Automaton::kNoRule, to});
}

void AutomatonBuilder::add_call(int32_t from, int32_t rule, int32_t to) {
  budget_->spend(1);
  at(from).jumps.push_back({rule, to});
}

int32_t AutomatonBuilder::add_text(int32_t from, std::string_view text) {
  for (const char c : text) {
    const int32_t to = add_state();
    add_bytes(from, static_cast<uint8_t>(c), static_cast<uint8_t>(c), to);
    from = to;
  }
  return from;
}

}  // namespace minke
