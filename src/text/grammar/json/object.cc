// Objects of a schema: members in the order of the schema, then the others.

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "base/core/error.h"
#include "text/grammar/code_points.h"
#include "text/grammar/json/compiler.h"
#include "text/grammar/json/string.h"

namespace minke {
namespace {

// Each set of patterns that a name matches makes a case of its own.
constexpr size_t kMostPatterns = 4;

}  // namespace

void JsonCompiler::add_object(int32_t from, const Branch& branch, int32_t to) {
  const bool limited = std::any_of(branch.nodes.begin(), branch.nodes.end(),
                                   [&](int id) { return schema_.node(id).says_of_objects(); });
  if (!limited) {
    unique_names_ = true;
    builder_.add_call(from, rules_.object(), to);
    return;
  }
  const std::vector<Member> named = named_members(branch);
  add_members(from, branch, named, free_members(branch, named), to);
}

std::vector<JsonCompiler::Member> JsonCompiler::named_members(const Branch& branch) {
  std::vector<Member> out;
  std::map<std::string, size_t, std::less<>> index;
  const auto member = [&](const std::string& name) -> Member& {
    const auto [it, added] = index.try_emplace(name, out.size());
    if (added) out.push_back({name, false, 0});
    return out[it->second];
  };
  for (const int id : branch.nodes) {
    for (const auto& [name, schema] : schema_.node(id).properties) member(name);
  }
  for (const int id : branch.nodes) {
    for (const std::string& name : schema_.node(id).required) member(name).required = true;
  }
  const std::optional<Dfa> allowed = branches_.names(branch);
  for (Member& m : out) {
    const std::string quoted = "\"" + spelled(m.name, Spelling::kJson) + "\"";
    m.rule = builder_.add_rule("member " + m.name);
    // A rule without texts stands for a name that must not be used.
    if (allowed && !allowed->accepts(spelled(m.name, Spelling::kJson))) continue;
    const int32_t colon = rules_.add_colon(builder_.add_text(builder_.start(m.rule), quoted));
    const int32_t end = builder_.add_state();
    builder_.accept(end);
    add_value(colon, branches_.member(branch, m.name), end);
  }
  return out;
}

std::vector<int32_t> JsonCompiler::free_members(const Branch& branch,
                                                const std::vector<Member>& named) {
  std::vector<std::pair<const Dfa*, int>> patterns;  // and the node they stand in
  for (const int id : branch.nodes) {
    for (const auto& pattern : schema_.node(id).pattern_properties) {
      patterns.emplace_back(&pattern.first, id);
    }
  }
  const std::string place = place_of(branch);
  if (patterns.size() > kMostPatterns) {
    fail(place + ".patternProperties", "expected at most {} patterns, found {}", kMostPatterns,
         patterns.size());
  }
  Dfa names = branches_.names(branch).value_or(strings_of_length(0, kUncounted, budget_));
  AutomatonBuilder known(budget_);
  const int32_t start = known.add_state();
  for (const Member& m : named) {
    known.accept(known.add_text(start, spelled(m.name, Spelling::kJson)));
  }
  names = subtract(names, determinise(known.automaton(), start, budget_), budget_);

  std::vector<int32_t> out;
  for (size_t match = 0; match < size_t{1} << patterns.size(); ++match) {
    Dfa matching = names;
    std::vector<int> value;
    std::set<int> matched;  // nodes
    for (size_t i = 0; i < patterns.size(); ++i) {
      const bool on = (match >> i & 1) != 0;
      const auto& [pattern, id] = patterns[i];
      matching =
          on ? intersect(matching, *pattern, budget_) : subtract(matching, *pattern, budget_);
      if (!on) continue;
      matched.insert(id);
      for (const auto& [dfa, schema] : schema_.node(id).pattern_properties) {
        if (&dfa == pattern) value.push_back(schema);
      }
    }
    for (const int id : branch.nodes) {
      const int additional = schema_.node(id).additional;
      if (!matched.contains(id) && additional != SchemaNode::kNone) value.push_back(additional);
    }
    const NodeSet set = branches_.set_of(std::move(value));
    if (matching.empty() || branches_.is_empty(set)) continue;
    // Names are kept apart by refusing those that have been used, which must leave others.
    if (!is_endless(matching)) {
      fail(place,
           "expected patternProperties and propertyNames that any beginning of a name can "
           "meet in endlessly many ways, found a limited set of names");
    }
    unique_names_ = true;
    const int32_t rule = builder_.add_rule("member of " + place);
    const int32_t name = builder_.add_rule("name in " + place, "\"", matching, "\"");
    const int32_t behind = builder_.add_state(), end = builder_.add_state();
    builder_.accept(end);
    builder_.add_call(builder_.start(rule), name, behind);
    add_value(rules_.add_colon(behind), set, end);
    out.push_back(rule);
  }
  return out;
}

// A grid of states: how many of the named members have been passed, and how many have been written,
// as far as that matters.
void JsonCompiler::add_members(int32_t from, const Branch& branch, const std::vector<Member>& named,
                               const std::vector<int32_t>& free, int32_t to) {
  int64_t min = 0, max = SchemaNode::kNone;
  for (const int id : branch.nodes) {
    const SchemaNode& node = schema_.node(id);
    min = std::max(min, node.min_properties);
    if (node.max_properties == SchemaNode::kNone) continue;
    max = max == SchemaNode::kNone ? node.max_properties : std::min(max, node.max_properties);
  }
  if (max != SchemaNode::kNone) max = std::min(max, std::max(min, kLongestCounted));
  const int64_t counted = max == SchemaNode::kNone ? std::max<int64_t>(min, 1) : max;
  budget_.spend(counted);
  std::vector<int32_t> row;  // by count: the state before the next named member
  const auto new_row = [&] {
    std::vector<int32_t> states;
    for (int64_t count = 0; count <= counted; ++count) states.push_back(builder_.add_state());
    return states;
  };
  // Adds a member behind `count` others, to the state of that row which counts it.
  const auto add_member = [&](int64_t count, int32_t rule, const std::vector<int32_t>& next) {
    if (count == max) return;
    const int32_t at = row[static_cast<size_t>(count)];
    const int32_t before = rules_.add_blank(count == 0 ? at : builder_.add_text(at, ","));
    builder_.add_call(before, rule, next[static_cast<size_t>(std::min(count + 1, counted))]);
  };
  row = new_row();
  builder_.add_jump(builder_.add_text(from, "{"), row[0]);
  for (const Member& member : named) {
    const std::vector<int32_t> next = new_row();
    for (int64_t count = 0; count <= counted; ++count) {
      const auto i = static_cast<size_t>(count);
      if (!member.required) builder_.add_jump(row[i], next[i]);
      add_member(count, member.rule, next);
    }
    row = next;
  }
  for (int64_t count = 0; count <= counted; ++count) {
    for (const int32_t rule : free) add_member(count, rule, row);
    if (count < min) continue;
    const int32_t at = row[static_cast<size_t>(count)];
    const int32_t close = count == 0 ? at : rules_.add_blank(at);
    builder_.add_jump(builder_.add_text(close, "}"), to);
  }
}

}  // namespace minke
