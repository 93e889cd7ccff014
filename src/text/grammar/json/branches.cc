#include "text/grammar/json/branches.h"

#include <algorithm>

#include "base/core/error.h"
#include "text/grammar/code_points.h"
#include "text/grammar/json/string.h"
#include "text/grammar/regex.h"

namespace minke {
namespace {

namespace dom = simdjson::dom;

constexpr size_t kManyBranches = 2000;
// How far into values is_empty() looks.
constexpr int kEmptyDepth = 6;

}  // namespace

// Some way to meet a set, with choices that are still to be made.
struct JsonBranches::Partial {
  std::set<int> nodes;
  std::vector<std::pair<int, const SchemaNode::Choice*>> open;
};

NodeSet JsonBranches::set_of(std::vector<int> nodes) {
  std::sort(nodes.begin(), nodes.end());
  nodes.erase(std::unique(nodes.begin(), nodes.end()), nodes.end());
  std::erase_if(nodes, [&](int id) { return schema_.node(id).is_true(); });
  return nodes;
}

// Depth-first along what applies to the same value, with a stack of its own.
void JsonBranches::check_cycles(int node) {
  enum : uint8_t { kNew, kOpen, kDone };
  struct Step {
    int node;
    std::vector<int> next;
  };
  std::vector<Step> path;
  const auto enter = [&](int id) {
    if (cycle_marks_.size() <= static_cast<size_t>(id)) cycle_marks_.resize(id + 1u);
    uint8_t& mark = cycle_marks_[static_cast<size_t>(id)];
    if (mark == kOpen) {
      fail(schema_.place(id), "expected a schema that does not need itself for the same value");
    }
    if (mark == kDone) return;
    mark = kOpen;
    const SchemaNode& n = schema_.node(id);
    Step step{id, n.all_of};
    for (const SchemaNode::Choice& choice : n.choices) {
      step.next.insert(step.next.end(), choice.nodes.begin(), choice.nodes.end());
    }
    path.push_back(std::move(step));
  };
  enter(node);
  while (!path.empty()) {
    if (path.back().next.empty()) {
      cycle_marks_[static_cast<size_t>(path.back().node)] = kDone;
      path.pop_back();
    } else {
      const int next = path.back().next.back();
      path.back().next.pop_back();
      enter(next);
    }
  }
}

void JsonBranches::add(Partial& partial, int node) {
  std::vector<int> work{node};
  while (!work.empty()) {
    const int id = work.back();
    work.pop_back();
    schema_.budget().spend(1);
    if (!partial.nodes.insert(id).second) continue;
    const SchemaNode& n = schema_.node(id);
    work.insert(work.end(), n.all_of.begin(), n.all_of.end());
    for (const SchemaNode::Choice& choice : n.choices) partial.open.emplace_back(id, &choice);
  }
}

std::vector<Branch> JsonBranches::expand(const NodeSet& set, bool check) {
  std::vector<Partial> work(1);
  for (const int node : set) {
    check_cycles(node);
    add(work[0], node);
  }
  std::set<NodeSet> found;
  std::vector<Branch> out;
  while (!work.empty()) {
    Partial partial = std::move(work.back());
    work.pop_back();
    schema_.budget().spend(static_cast<int64_t>(partial.nodes.size() + partial.open.size()));
    if (!partial.open.empty()) {
      const auto [node, choice] = partial.open.back();
      partial.open.pop_back();
      if (check && choice->exactly_one) check_choice(partial, node, *choice);
      // The last one first, so that branches come in the order of the schema.
      for (size_t i = choice->nodes.size(); i-- > 0;) {
        Partial next = partial;
        add(next, choice->nodes[i]);
        work.push_back(std::move(next));
      }
      if (work.size() + out.size() > kManyBranches) {
        fail(schema_.place(node), "expected at most {} alternatives, found more", kManyBranches);
      }
      continue;
    }
    Branch branch{set_of({partial.nodes.begin(), partial.nodes.end()}), kAllTypes};
    for (const int node : branch.nodes) branch.types &= schema_.node(node).types;
    if (branch.types != kNoType && found.insert(branch.nodes).second) {
      out.push_back(std::move(branch));
    }
  }
  return out;
}

void JsonBranches::check_choice(const Partial& partial, int node,
                                const SchemaNode::Choice& choice) {
  const NodeSet context(partial.nodes.begin(), partial.nodes.end());
  for (size_t i = 0; i < choice.nodes.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      const std::pair both(choice.nodes[j], choice.nodes[i]);
      if (disjoint_.contains(both)) continue;
      if (is_empty(set_of({both.first, both.second}))) {
        disjoint_.insert(both);
        continue;
      }
      if (is_empty(set_of({both.first, both.second}), context, 0)) continue;
      fail(schema_.place(node) + ".oneOf",
           "expected alternatives that exclude one another, found that {} and {} may not", j, i);
    }
  }
}

bool JsonBranches::is_empty(const NodeSet& set, const NodeSet& context, int depth) {
  if (depth > kEmptyDepth) return false;
  std::vector<Branch> branches = expand(set, false);
  return std::all_of(branches.begin(), branches.end(), [&](Branch& branch) {
    for (const int node : context) branch.types &= schema_.node(node).types;
    branch.nodes.insert(branch.nodes.end(), context.begin(), context.end());
    branch.nodes = set_of(std::move(branch.nodes));
    return is_empty(branch, depth);
  });
}

bool JsonBranches::is_empty(const Branch& branch, int depth) {
  schema_.budget().spend(16);
  if (const auto listed = values(branch, false)) return listed->empty();
  if ((branch.types & (kNull | kBoolean)) != 0) return false;
  return ((branch.types & kString) == 0 || no_strings(branch)) &&
         ((branch.types & (kInteger | kFraction)) == 0 || no_numbers(branch)) &&
         ((branch.types & kArray) == 0 || no_arrays(branch, depth)) &&
         ((branch.types & kObject) == 0 || no_objects(branch, depth));
}

}  // namespace minke
