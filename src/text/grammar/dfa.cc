#include "text/grammar/dfa.h"

#include <algorithm>
#include <map>
#include <unordered_map>
#include <utility>

#include "base/core/check.h"

namespace minke {
namespace {

constexpr int32_t kDead = -1;

const ByteEdge* edge_of(const Dfa::State& state, uint8_t byte) {
  const auto it = std::lower_bound(state.edges.begin(), state.edges.end(), byte,
                                   [](const ByteEdge& e, uint8_t b) { return e.hi < b; });
  return it != state.edges.end() && it->lo <= byte ? &*it : nullptr;
}

void append_edge(std::vector<ByteEdge>& edges, int lo, int hi, int32_t target) {
  if (!edges.empty() && edges.back().target == target && edges.back().hi + 1 == lo) {
    edges.back().hi = static_cast<uint8_t>(hi);
  } else {
    edges.push_back({static_cast<uint8_t>(lo), static_cast<uint8_t>(hi), target});
  }
}

// The states that `states` reach without a byte, sorted.
std::vector<int32_t> closure(const Automaton& nfa, std::vector<int32_t> states,
                             std::vector<bool>& seen, Budget& budget) {
  std::vector<int32_t> out;
  while (!states.empty()) {
    const int32_t state = states.back();
    states.pop_back();
    if (seen[static_cast<size_t>(state)]) continue;
    seen[static_cast<size_t>(state)] = true;
    out.push_back(state);
    for (const Automaton::Jump& jump : nfa.states[static_cast<size_t>(state)].jumps) {
      CHECK(jump.rule == Automaton::kNoRule);
      states.push_back(jump.target);
      budget.spend(1);
    }
  }
  for (const int32_t state : out) seen[static_cast<size_t>(state)] = false;
  std::sort(out.begin(), out.end());
  budget.spend(static_cast<int64_t>(out.size()));
  return out;
}

// The bytes at which a run of edges begins or has ended.
std::vector<int> borders(const std::vector<ByteEdge>& edges) {
  std::vector<int> out;
  for (const ByteEdge& edge : edges) {
    out.push_back(edge.lo);
    out.push_back(edge.hi + 1);
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

struct StatesHash {
  size_t operator()(const std::vector<int32_t>& states) const {
    uint64_t hash = states.size();
    for (const int32_t state : states) {
      hash = (hash ^ static_cast<uint32_t>(state)) * 0x9e3779b97f4a7c15u;
      hash ^= hash >> 29;
    }
    return hash;
  }
};

class Determiniser {
 public:
  Determiniser(const Automaton& nfa, Budget& budget)
      : nfa_(nfa), budget_(budget), seen_(nfa.states.size()) {}

  Dfa run(int32_t start) {
    intern({start});
    for (size_t i = 0; i < sets_.size(); ++i) expand(i);
    return trimmed(std::move(dfa_));
  }

 private:
  int32_t intern(std::vector<int32_t> states) {
    std::vector<int32_t> set = closure(nfa_, std::move(states), seen_, budget_);
    const auto [it, added] = ids_.try_emplace(std::move(set), static_cast<int32_t>(sets_.size()));
    if (added) {
      budget_.check_states(sets_.size() + 1);
      sets_.push_back(&it->first);
      const bool accept = std::any_of(it->first.begin(), it->first.end(), [&](int32_t state) {
        return nfa_.states[static_cast<size_t>(state)].accept;
      });
      dfa_.states.push_back({{}, accept});
    }
    return it->second;
  }

  void expand(size_t index) {
    std::vector<ByteEdge> edges;
    for (const int32_t state : *sets_[index]) {
      const auto& own = nfa_.states[static_cast<size_t>(state)].edges;
      edges.insert(edges.end(), own.begin(), own.end());
    }
    std::sort(edges.begin(), edges.end(),
              [](const ByteEdge& a, const ByteEdge& b) { return a.lo < b.lo; });
    const std::vector<int> points = borders(edges);
    std::vector<ByteEdge> out, open;
    auto next = edges.begin();
    for (size_t i = 0; i + 1 < points.size(); ++i) {
      std::erase_if(open, [&](const ByteEdge& edge) { return edge.hi < points[i]; });
      for (; next != edges.end() && next->lo <= points[i]; ++next) open.push_back(*next);
      if (open.empty()) continue;
      std::vector<int32_t> targets;
      for (const ByteEdge& edge : open) targets.push_back(edge.target);
      append_edge(out, points[i], points[i + 1] - 1, target_of(std::move(targets)));
    }
    dfa_.states[index].edges = std::move(out);
  }

  // The same targets come again and again, so that what follows them without a byte is kept.
  int32_t target_of(std::vector<int32_t> targets) {
    budget_.spend(static_cast<int64_t>(targets.size()));
    std::sort(targets.begin(), targets.end());
    targets.erase(std::unique(targets.begin(), targets.end()), targets.end());
    const auto it = by_targets_.find(targets);
    if (it != by_targets_.end()) return it->second;
    const int32_t id = intern(targets);
    by_targets_.emplace(std::move(targets), id);
    return id;
  }

  const Automaton& nfa_;
  Budget& budget_;
  std::vector<bool> seen_;
  std::unordered_map<std::vector<int32_t>, int32_t, StatesHash> ids_, by_targets_;
  std::vector<const std::vector<int32_t>*> sets_;
  Dfa dfa_;
};

// Both automata side by side; `accept` says of which pairs of ends a text is made. In state kDead
// the second one has failed.
template <typename Accept>
Dfa product(const Dfa& a, const Dfa& b, bool keep_dead, Budget& budget, const Accept& accept) {
  if (a.empty()) return {};
  Dfa out;
  std::map<std::pair<int32_t, int32_t>, int32_t> ids;
  std::vector<std::pair<int32_t, int32_t>> pairs;
  const auto intern = [&](int32_t x, int32_t y) {
    const auto [it, added] = ids.try_emplace({x, y}, static_cast<int32_t>(pairs.size()));
    if (added) {
      budget.check_states(pairs.size() + 1);
      pairs.emplace_back(x, y);
      const bool second = y != kDead && b.states[static_cast<size_t>(y)].accept;
      out.states.push_back({{}, accept(a.states[static_cast<size_t>(x)].accept, second)});
    }
    return it->second;
  };
  if (b.empty() && !keep_dead) return {};
  intern(0, b.empty() ? kDead : 0);
  for (size_t i = 0; i < pairs.size(); ++i) {
    const auto [x, y] = pairs[i];
    std::vector<ByteEdge> all = a.states[static_cast<size_t>(x)].edges;
    if (y != kDead) {
      const auto& more = b.states[static_cast<size_t>(y)].edges;
      all.insert(all.end(), more.begin(), more.end());
    }
    const std::vector<int> points = borders(all);
    budget.spend(static_cast<int64_t>(points.size()));
    std::vector<ByteEdge> edges;
    for (size_t p = 0; p + 1 < points.size(); ++p) {
      const auto byte = static_cast<uint8_t>(points[p]);
      const ByteEdge* first = edge_of(a.states[static_cast<size_t>(x)], byte);
      if (first == nullptr) continue;
      const ByteEdge* second =
          y == kDead ? nullptr : edge_of(b.states[static_cast<size_t>(y)], byte);
      if (second == nullptr && !keep_dead) continue;
      append_edge(edges, points[p], points[p + 1] - 1,
                  intern(first->target, second == nullptr ? kDead : second->target));
    }
    out.states[i].edges = std::move(edges);
  }
  return trimmed(std::move(out));
}

// The states from which one of `marked` is reached, themselves included.
std::vector<bool> reaching(const Dfa& dfa, std::vector<bool> marked) {
  std::vector<std::vector<int32_t>> entries(dfa.states.size());
  std::vector<int32_t> work;
  for (size_t i = 0; i < dfa.states.size(); ++i) {
    for (const ByteEdge& edge : dfa.states[i].edges) {
      entries[static_cast<size_t>(edge.target)].push_back(static_cast<int32_t>(i));
    }
    if (marked[i]) work.push_back(static_cast<int32_t>(i));
  }
  while (!work.empty()) {
    const auto state = static_cast<size_t>(work.back());
    work.pop_back();
    for (const int32_t from : entries[state]) {
      if (marked[static_cast<size_t>(from)]) continue;
      marked[static_cast<size_t>(from)] = true;
      work.push_back(from);
    }
  }
  return marked;
}

}  // namespace

bool Dfa::accepts(std::string_view text) const {
  if (states.empty()) return false;
  int32_t state = 0;
  for (const char c : text) {
    const ByteEdge* edge = edge_of(states[static_cast<size_t>(state)], static_cast<uint8_t>(c));
    if (edge == nullptr) return false;
    state = edge->target;
  }
  return states[static_cast<size_t>(state)].accept;
}

Dfa determinise(const Automaton& nfa, int32_t start, Budget& budget) {
  return Determiniser(nfa, budget).run(start);
}

Dfa intersect(const Dfa& a, const Dfa& b, Budget& budget) {
  return product(a, b, false, budget, [](bool x, bool y) { return x && y; });
}

Dfa subtract(const Dfa& a, const Dfa& b, Budget& budget) {
  return product(a, b, true, budget, [](bool x, bool y) { return x && !y; });
}

Dfa trimmed(Dfa dfa) {
  std::vector<bool> live(dfa.states.size());
  for (size_t i = 0; i < live.size(); ++i) live[i] = dfa.states[i].accept;
  live = reaching(dfa, std::move(live));
  if (live.empty() || !live[0]) return {};
  std::vector<int32_t> names(live.size(), kDead);
  int32_t next = 0;
  for (size_t i = 0; i < live.size(); ++i) {
    if (live[i]) names[i] = next++;
  }
  Dfa out;
  out.states.reserve(static_cast<size_t>(next));
  for (size_t i = 0; i < live.size(); ++i) {
    if (!live[i]) continue;
    Dfa::State state{{}, dfa.states[i].accept};
    for (const ByteEdge& edge : dfa.states[i].edges) {
      const int32_t target = names[static_cast<size_t>(edge.target)];
      if (target != kDead) append_edge(state.edges, edge.lo, edge.hi, target);
    }
    out.states.push_back(std::move(state));
  }
  return out;
}

bool is_endless(const Dfa& dfa) {
  // Every state leads to the end. If none is without edges, a path from any goes on for ever, among
  // a finite number of states: it passes one twice, and the end can be reached after any lap.
  return !dfa.empty() && std::none_of(dfa.states.begin(), dfa.states.end(),
                                      [](const Dfa::State& s) { return s.edges.empty(); });
}

Dfa dfa_of(std::string_view text) {
  Dfa out;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<uint8_t>(text[i]);
    out.states.push_back({{{byte, byte, static_cast<int32_t>(i + 1)}}, false});
  }
  out.states.push_back({{}, true});
  return out;
}

}  // namespace minke
