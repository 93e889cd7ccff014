#include "text/grammar/grammar.h"

#include <algorithm>
#include <utility>

#include "base/core/error.h"

namespace minke {
namespace {

// The rules that `rule` can call before any byte.
std::vector<int32_t> first_calls(const Automaton& automaton, int32_t rule,
                                 const std::vector<bool>& empty, std::vector<int32_t>& seen) {
  std::vector<int32_t> calls, work{automaton.rules[static_cast<size_t>(rule)].start};
  while (!work.empty()) {
    const auto state = static_cast<size_t>(work.back());
    work.pop_back();
    if (seen[state] == rule) continue;
    seen[state] = rule;
    for (const Automaton::Jump& jump : automaton.states[state].jumps) {
      if (jump.rule != Automaton::kNoRule) {
        calls.push_back(jump.rule);
        const int32_t start = automaton.rules[static_cast<size_t>(jump.rule)].start;
        if (!empty[static_cast<size_t>(start)]) continue;
      }
      work.push_back(jump.target);
    }
  }
  std::sort(calls.begin(), calls.end());
  calls.erase(std::unique(calls.begin(), calls.end()), calls.end());
  return calls;
}

}  // namespace

Grammar::Grammar(Automaton automaton, int32_t root, bool unique_names, const std::string& place)
    : automaton_(std::move(automaton)), root_(root), unique_names_(unique_names) {
  const std::vector<bool> live = live_states(automaton_, ByteSet().set());
  const auto start_of = [&](size_t rule) {
    return static_cast<size_t>(automaton_.rules[rule].start);
  };
  if (!live[start_of(static_cast<size_t>(root))]) {
    fail(place, "expected something that a finite text can meet, found what no text meets");
  }
  const std::vector<bool> empty = live_states(automaton_, ByteSet());
  for (size_t i = 0; i < automaton_.rules.size(); ++i) nullable_.push_back(empty[start_of(i)]);
  final_ = final_states(automaton_);
  rank_rules(empty, place);
}

// Depth-first, with a stack of its own: rules can form chains of any length.
void Grammar::rank_rules(const std::vector<bool>& empty, const std::string& place) {
  const size_t count = automaton_.rules.size();
  std::vector<int32_t> seen(automaton_.states.size(), -1);
  std::vector<std::vector<int32_t>> calls(count);
  for (size_t i = 0; i < count; ++i) {
    calls[i] = first_calls(automaton_, static_cast<int32_t>(i), empty, seen);
  }
  enum class Mark : uint8_t { kNew, kOpen, kDone };
  std::vector<Mark> marks(count, Mark::kNew);
  std::vector<size_t> next(count);
  for (size_t root = 0; root < count; ++root) {
    if (marks[root] != Mark::kNew) continue;
    std::vector<size_t> path{root};
    marks[root] = Mark::kOpen;
    while (!path.empty()) {
      const size_t rule = path.back();
      if (next[rule] == calls[rule].size()) {
        marks[rule] = Mark::kDone;
        by_rank_.push_back(static_cast<int32_t>(rule));
        path.pop_back();
        continue;
      }
      const auto called = static_cast<size_t>(calls[rule][next[rule]++]);
      if (marks[called] == Mark::kOpen) {
        fail(place,
             "expected rules that begin with some text, found \"{}\", which begins with itself",
             printable(automaton_.rules[called].name));
      }
      if (marks[called] == Mark::kNew) {
        marks[called] = Mark::kOpen;
        path.push_back(called);
      }
    }
  }
  std::reverse(by_rank_.begin(), by_rank_.end());
  ranks_.resize(count);
  for (size_t i = 0; i < count; ++i) {
    ranks_[static_cast<size_t>(by_rank_[i])] = static_cast<int32_t>(i);
  }
}

}  // namespace minke
