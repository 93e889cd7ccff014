#include "text/grammar/recognizer.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <unordered_set>
#include <utility>

#include "base/core/check.h"

namespace minke {
namespace {

constexpr int32_t kBottom = 0;  // the node below the root
// Frames that only end are replaced by what follows them if this is not more: so recursion at the
// end of a rule needs no stack.
constexpr size_t kFewFrames = 4;
// Looking whether a state takes a byte costs less than following where it leads.
constexpr int64_t kLooksPerWork = 16;
// States that a plain run is followed through at once.
constexpr size_t kManyStates = 16;

uint64_t key_of(Recognizer::Item item) {
  return static_cast<uint64_t>(static_cast<uint32_t>(item.state)) << 32 |
         static_cast<uint32_t>(item.node);
}

// The bytes of plain characters, as an automaton: state 0 between characters.
struct PlainRange {
  uint8_t lo, hi, next;
};
constexpr uint8_t kOneMore = 1, kTwoMore = 2, kThreeMore = 3;
constexpr uint8_t kAfterE0 = 4, kAfterED = 5, kAfterF0 = 6, kAfterF4 = 7;
constexpr size_t kPlainStates = 8;

std::span<const PlainRange> plain_ranges(size_t state) {
  static constexpr PlainRange kFirst[] = {
      {0x20, 0x21, 0},          {0x23, 0x5b, 0},        {0x5d, 0x7f, 0},
      {0xc2, 0xdf, kOneMore},   {0xe0, 0xe0, kAfterE0}, {0xe1, 0xec, kTwoMore},
      {0xed, 0xed, kAfterED},   {0xee, 0xef, kTwoMore}, {0xf0, 0xf0, kAfterF0},
      {0xf1, 0xf3, kThreeMore}, {0xf4, 0xf4, kAfterF4}};
  static constexpr PlainRange kRest[kPlainStates] = {{0, 0, 0},
                                                     {0x80, 0xbf, 0},
                                                     {0x80, 0xbf, kOneMore},
                                                     {0x80, 0xbf, kTwoMore},
                                                     {0xa0, 0xbf, kOneMore},
                                                     {0x80, 0x9f, kOneMore},
                                                     {0x90, 0xbf, kTwoMore},
                                                     {0x80, 0x8f, kTwoMore}};
  return state == 0 ? std::span<const PlainRange>(kFirst)
                    : std::span<const PlainRange>(&kRest[state], 1);
}

using PlainStates = std::set<std::pair<int32_t, size_t>>;  // of the grammar, of plain_ranges()

// Adds where each byte of `range` leads from `state`; false if one leads nowhere.
bool add_targets(const Automaton::State& state, const PlainRange& range,
                 const std::vector<bool>& live, PlainStates& out) {
  int next = range.lo;
  while (next <= range.hi) {
    const auto it = std::find_if(state.edges.begin(), state.edges.end(), [&](const ByteEdge& e) {
      return e.lo <= next && e.hi >= next && live[static_cast<size_t>(e.target)];
    });
    if (it == state.edges.end()) return false;
    out.emplace(it->target, range.next);
    next = it->hi + 1;
  }
  return true;
}

// Adds where any byte of a plain character leads from `state`, `phase` bytes into it.
void add_possible_targets(const Automaton::State& state, size_t phase,
                          const std::vector<bool>& live, PlainStates& out) {
  for (const PlainRange& range : plain_ranges(phase)) {
    for (const ByteEdge& edge : state.edges) {
      const bool meets = edge.lo <= range.hi && range.lo <= edge.hi;
      if (meets && live[static_cast<size_t>(edge.target)]) out.emplace(edge.target, range.next);
    }
  }
}

// Adds where jumps lead; false if a rule ends or is called on the way, or if there are too many.
bool add_jumps(const Automaton& automaton, PlainStates& states) {
  std::vector<std::pair<int32_t, size_t>> open(states.begin(), states.end());
  while (!open.empty() && states.size() <= kManyStates) {
    const auto [at, phase] = open.back();
    open.pop_back();
    const Automaton::State& state = automaton.states[static_cast<size_t>(at)];
    if (state.accept) return false;
    for (const Automaton::Jump& jump : state.jumps) {
      if (jump.rule != Automaton::kNoRule) return false;
      if (states.emplace(jump.target, phase).second) open.emplace_back(jump.target, phase);
    }
  }
  return states.size() <= kManyStates;
}

}  // namespace

size_t Recognizer::ItemsHash::operator()(const Items& items) const {
  uint64_t hash = items.size();
  for (const Item& item : items) {
    hash = (hash ^ key_of(item)) * 0x9e3779b97f4a7c15u;
    hash ^= hash >> 29;
  }
  return hash;
}

Recognizer::Recognizer(std::shared_ptr<const Grammar> grammar, const ByteSet& bytes)
    : grammar_(std::move(grammar)), live_(live_states(grammar_->automaton(), bytes)) {
  intern_node({});
}

Recognizer::Config Recognizer::start() {
  const Automaton& automaton = grammar_->automaton();
  return close({{automaton.rules[static_cast<size_t>(grammar_->root())].start, kBottom}});
}

Recognizer::Config Recognizer::find_step(Config config, uint8_t byte) {
  const Config next = takes(config)[byte] ? follow(config, byte) : kDead;
  Entry& entry = configs_[static_cast<size_t>(config)];
  if (!entry.next && ++entry.steps > kStepsWithoutTable) {
    entry.next = std::make_unique<int32_t[]>(256);
    std::fill_n(entry.next.get(), 256, kUnknown);
  }
  if (entry.next) entry.next[byte] = next;
  return next;
}

Recognizer::Config Recognizer::follow(Config config, uint8_t byte) {
  Items seeds;
  work_ += 1 + static_cast<int64_t>(items(config).size()) / kLooksPerWork;
  for (const Item& item : items(config)) {
    for (const ByteEdge& edge :
         grammar_->automaton().states[static_cast<size_t>(item.state)].edges) {
      if (edge.lo <= byte && byte <= edge.hi) seeds.push_back({edge.target, item.node});
    }
  }
  return closed(std::move(seeds));
}

Recognizer::Config Recognizer::closed(Items seeds) {
  const auto known = closed_.find(seeds);
  if (known != closed_.end()) return known->second;
  const Config config = close(seeds);
  kept_ += seeds.size();
  closed_.emplace(std::move(seeds), config);
  return config;
}

const ByteSet& Recognizer::takes(Config config) {
  Entry& entry = configs_[static_cast<size_t>(config)];
  if (!entry.takes) {
    work_ += 1 + static_cast<int64_t>(entry.items->size()) / kLooksPerWork;
    entry.takes = std::make_unique<ByteSet>();
    for (const Item& item : *entry.items) {
      for (const ByteEdge& edge :
           grammar_->automaton().states[static_cast<size_t>(item.state)].edges) {
        for (int byte = edge.lo; byte <= edge.hi; ++byte) {
          entry.takes->set(static_cast<size_t>(byte));
        }
      }
    }
  }
  return *entry.takes;
}

// Follows all that happens without a byte: jumps, ends of rules, calls. The callers of a rule at
// one place share a node, so the node is made when all callers are known: rules are entered by
// rank. A rule that can be empty is also passed at once, so that nothing ends where it began.
Recognizer::Config Recognizer::close(Items seeds) {
  const Automaton& automaton = grammar_->automaton();
  std::unordered_set<uint64_t> seen;
  std::map<int32_t, Items> callers;  // by rank of what is called
  Items out;
  bool done = false;
  for (;;) {
    while (!seeds.empty()) {
      const Item item = seeds.back();
      seeds.pop_back();
      ++work_;
      if (!live_[static_cast<size_t>(item.state)] || !seen.insert(key_of(item)).second) continue;
      const Automaton::State& state = automaton.states[static_cast<size_t>(item.state)];
      if (state.accept) {
        if (item.node == kBottom) done = true;
        const Items& frames = *nodes_[static_cast<size_t>(item.node)].frames;
        seeds.insert(seeds.end(), frames.begin(), frames.end());
      }
      for (const Automaton::Jump& jump : state.jumps) {
        if (jump.rule == Automaton::kNoRule) {
          seeds.push_back({jump.target, item.node});
          continue;
        }
        const int32_t entry = automaton.rules[static_cast<size_t>(jump.rule)].start;
        if (!live_[static_cast<size_t>(entry)] || !live_[static_cast<size_t>(jump.target)])
          continue;
        callers[grammar_->rank(jump.rule)].push_back({jump.target, item.node});
        if (grammar_->is_nullable(jump.rule)) seeds.push_back({jump.target, item.node});
      }
      if (!state.edges.empty()) out.push_back(item);
    }
    if (callers.empty()) break;
    const auto first = callers.begin();
    const int32_t rule = grammar_->rule_of_rank(first->first);
    const int32_t node = intern_node(std::move(first->second));
    callers.erase(first);
    seeds.push_back({automaton.rules[static_cast<size_t>(rule)].start, node});
  }
  if (out.empty() && !done) return kDead;
  std::sort(out.begin(), out.end());
  return intern(std::move(out), done);
}

Recognizer::Config Recognizer::intern(Items items, bool done) {
  const auto [it, added] =
      config_ids_[done ? 1 : 0].try_emplace(std::move(items), static_cast<Config>(configs_.size()));
  if (added) {
    configs_.push_back({&it->first, done, 0, nullptr, nullptr});
    kept_ += it->first.size();
  }
  return it->second;
}

int32_t Recognizer::intern_node(Items frames) {
  Items flat;
  for (const Item& frame : frames) {
    const bool ends = grammar_->is_final(frame.state);
    const Items* below =
        ends && frame.node != kBottom ? nodes_[static_cast<size_t>(frame.node)].frames : nullptr;
    if (below != nullptr && below->size() <= kFewFrames) {
      flat.insert(flat.end(), below->begin(), below->end());
    } else {
      flat.push_back(frame);
    }
  }
  std::sort(flat.begin(), flat.end());
  flat.erase(std::unique(flat.begin(), flat.end()), flat.end());
  const auto [it, added] =
      node_ids_.try_emplace(std::move(flat), static_cast<int32_t>(nodes_.size()));
  if (added) nodes_.push_back({&it->first});
  return it->second;
}

Recognizer::Config Recognizer::detached(std::span<const Item> items) {
  Items own;
  for (const Item& item : items) own.push_back({item.state, kBottom});
  return intern(std::move(own), false);
}

Recognizer::Config Recognizer::resume(int32_t node) {
  const Items& frames = *nodes_[static_cast<size_t>(node)].frames;
  return frames.empty() ? kDead : closed(frames);
}

int Recognizer::plain_run(int32_t state) {
  const auto [known, added] = plain_runs_.try_emplace(state, 0);
  if (!added) return known->second;
  const Automaton& automaton = grammar_->automaton();
  PlainStates seen{{state, 0}}, open = seen;
  int run = 0;
  while (run < kManyPlain) {
    // One more character from each of `open`: bytes until all are between characters again.
    PlainStates next, inside = open;
    bool whole = true;
    while (whole && !inside.empty()) {
      PlainStates targets;
      for (const auto& [at, phase] : inside) {
        for (const PlainRange& range : plain_ranges(phase)) {
          whole = whole &&
                  add_targets(automaton.states[static_cast<size_t>(at)], range, live_, targets);
        }
      }
      inside.clear();
      for (const auto& target : targets) (target.second == 0 ? next : inside).insert(target);
      whole = whole && targets.size() <= kManyStates;
    }
    if (!whole) break;
    ++run;
    open.clear();
    std::set_difference(next.begin(), next.end(), seen.begin(), seen.end(),
                        std::inserter(open, open.end()));
    if (open.empty()) run = kManyPlain;
    seen.insert(open.begin(), open.end());
  }
  return plain_runs_[state] = run;
}

int Recognizer::plain_most(int32_t state) {
  const auto [known, added] = plain_mosts_.try_emplace(state, kManyPlain + 1);
  if (!added) return known->second;
  const Automaton& automaton = grammar_->automaton();
  PlainStates open{{state, 0}};
  for (int count = 0; count <= kManyPlain; ++count) {
    PlainStates next;
    // One more character from each of `open`, byte by byte.
    for (PlainStates inside = std::move(open); !inside.empty();) {
      PlainStates targets;
      for (const auto& [at, phase] : inside) {
        add_possible_targets(automaton.states[static_cast<size_t>(at)], phase, live_, targets);
      }
      if (!add_jumps(automaton, targets)) return kManyPlain + 1;
      inside.clear();
      for (const auto& target : targets) (target.second == 0 ? next : inside).insert(target);
    }
    if (next.empty()) return plain_mosts_[state] = count;
    open = std::move(next);
  }
  return kManyPlain + 1;
}

Recognizer::Config Recognizer::thinned(Config config) {
  const Items& all = items(config);
  std::set<int32_t> stacks;
  Items kept;
  for (const Item& item : all) {
    if (stacks.size() < kMaxStacks) stacks.insert(item.node);
    if (stacks.contains(item.node)) kept.push_back(item);
  }
  if (kept.size() > kMaxItems) {
    const Items many = std::exchange(kept, {});
    for (size_t i = 0; i < kMaxItems; ++i) {
      kept.push_back(many[i * (many.size() - 1) / (kMaxItems - 1)]);
    }
  }
  if (kept.size() == all.size()) return config;
  return intern(std::move(kept), can_end(config));
}

Recognizer::Config Recognizer::settle(Config config, bool& forgot) {
  config = thinned(config);
  forgot = configs_.size() > kManyConfigs || nodes_.size() > kManyNodes || kept_ > kManyKept;
  return forgot ? rebuild(config) : config;
}

// A node stands behind those that its frames name, so one pass down finds all that are needed, and
// one pass up makes them again.
Recognizer::Config Recognizer::rebuild(Config config) {
  Items kept = items(config);
  const bool done = can_end(config);
  std::vector<bool> needed(nodes_.size());
  for (const Item& item : kept) needed[static_cast<size_t>(item.node)] = true;
  for (size_t i = nodes_.size(); i-- > 0;) {
    if (!needed[i]) continue;
    for (const Item& frame : *nodes_[i].frames) needed[static_cast<size_t>(frame.node)] = true;
  }
  std::vector<int32_t> names(nodes_.size());
  const auto old_ids = std::exchange(node_ids_, {});
  const std::vector<Node> old_nodes = std::exchange(nodes_, {});
  for (auto& ids : config_ids_) ids.clear();
  configs_.clear();
  closed_.clear();
  kept_ = 0;
  intern_node({});
  for (size_t i = 1; i < old_nodes.size(); ++i) {
    if (!needed[i]) continue;
    Items frames = *old_nodes[i].frames;
    for (Item& frame : frames) {
      CHECK(static_cast<size_t>(frame.node) < i);
      frame.node = names[static_cast<size_t>(frame.node)];
    }
    names[i] = intern_node(std::move(frames));
  }
  for (Item& item : kept) item.node = names[static_cast<size_t>(item.node)];
  std::sort(kept.begin(), kept.end());
  return intern(std::move(kept), done);
}

}  // namespace minke
