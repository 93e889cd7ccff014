#include "text/grammar/json/compiler.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include "text/grammar/code_points.h"
#include "text/grammar/json/string.h"

namespace minke {
namespace {

namespace dom = simdjson::dom;

const char* const kPlace = "schema";

}  // namespace

std::string JsonCompiler::place_of(const Branch& branch) {
  return branch.nodes.empty() ? kPlace : schema_.place(branch.nodes.front());
}

Grammar JsonCompiler::compile() {
  const int32_t root = rule_of(branches_.set_of({JsonSchema::kRoot}));
  for (; !pending_.empty(); pending_.pop_front()) {
    const auto& [set, rule] = pending_.front();
    const int32_t end = builder_.add_state();
    builder_.accept(end);
    for (const Branch& branch : branches_.expand(set)) {
      budget_.set_place(place_of(branch));
      add_branch(builder_.start(rule), branch, end);
    }
  }
  return Grammar(builder_.take(), root, unique_names_, kPlace);
}

int32_t JsonCompiler::rule_of(const NodeSet& set) {
  const auto [it, added] = by_set_.try_emplace(set);
  if (!added) return it->second;
  if (set.empty()) {
    unique_names_ = true;
    return it->second = rules_.value();
  }
  it->second = builder_.add_rule(schema_.place(set.front()));
  pending_.emplace_back(set, it->second);
  return it->second;
}

void JsonCompiler::add_branch(int32_t from, const Branch& branch, int32_t to) {
  if (const auto listed = branches_.values(branch)) {
    for (const dom::element value : *listed) add_listed(from, value, to, 0);
    return;
  }
  const auto text = [&](std::string_view word) {
    builder_.add_jump(builder_.add_text(from, word), to);
  };
  if ((branch.types & kNull) != 0) text("null");
  if ((branch.types & kBoolean) != 0) {
    text("true");
    text("false");
  }
  if ((branch.types & (kInteger | kFraction)) != 0) add_number(from, branch, to);
  if ((branch.types & kString) != 0) add_string(from, branch, to);
  if ((branch.types & kArray) != 0) add_array(from, branch, to);
  if ((branch.types & kObject) != 0) add_object(from, branch, to);
}

void JsonCompiler::add_listed(int32_t from, dom::element value, int32_t to, int depth) {
  budget_.check_depth(depth);
  if (value.is_object()) {
    int32_t at = builder_.add_text(from, "{");
    bool first = true;
    const dom::object members = value.get_object().value_unsafe();
    for (const auto [name, member] : members) {
      if (!first) at = builder_.add_text(at, ",");
      first = false;
      at = builder_.add_text(rules_.add_blank(at), "\"" + spelled(name, Spelling::kJson) + "\"");
      const int32_t next = builder_.add_state();
      add_listed(rules_.add_colon(at), member, next, depth + 1);
      at = next;
    }
    builder_.add_jump(builder_.add_text(first ? at : rules_.add_blank(at), "}"), to);
  } else if (value.is_array()) {
    int32_t at = builder_.add_text(from, "[");
    bool first = true;
    const dom::array items = value.get_array().value_unsafe();
    for (const dom::element item : items) {
      if (!first) at = builder_.add_text(at, ",");
      first = false;
      const int32_t next = builder_.add_state();
      add_listed(rules_.add_blank(at), item, next, depth + 1);
      at = next;
    }
    builder_.add_jump(builder_.add_text(first ? at : rules_.add_blank(at), "]"), to);
  } else {
    builder_.add_jump(builder_.add_text(from, canonical_json(value, budget_)), to);
  }
}

void JsonCompiler::add_string(int32_t from, const Branch& branch, int32_t to) {
  const std::optional<Dfa> strings = branches_.strings(branch);
  const int32_t rule =
      strings ? builder_.add_rule(place_of(branch), "\"", *strings, "\"") : rules_.string();
  builder_.add_call(from, rule, to);
}

void JsonCompiler::add_number(int32_t from, const Branch& branch, int32_t to) {
  const bool limited = std::any_of(branch.nodes.begin(), branch.nodes.end(),
                                   [&](int id) { return !schema_.node(id).ranges.empty(); });
  const int32_t rule = limited
                           ? builder_.add_rule(place_of(branch), "", branches_.numbers(branch), "")
                           : rules_.number((branch.types & kFraction) == 0);
  builder_.add_call(from, rule, to);
}

void JsonCompiler::add_array(int32_t from, const Branch& branch, int32_t to) {
  size_t prefix = 0;
  int64_t min = 0, max = SchemaNode::kNone;
  bool limited = false;
  for (const int id : branch.nodes) {
    const SchemaNode& node = schema_.node(id);
    limited = limited || node.says_of_arrays();
    prefix = std::max(prefix, node.prefix_items.size());
    min = std::max(min, node.min_items);
    if (node.max_items != SchemaNode::kNone) {
      max = max == SchemaNode::kNone ? node.max_items : std::min(max, node.max_items);
    }
  }
  if (!limited) {
    unique_names_ = true;
    builder_.add_call(from, rules_.array(), to);
    return;
  }
  if (max != SchemaNode::kNone) max = std::min(max, std::max(min, kLongestCounted));
  const int32_t open = builder_.add_text(from, "[");
  if (min == 0) builder_.add_jump(builder_.add_text(open, "]"), to);
  int32_t at = open;
  // Each item has a state of its own behind it as long as it matters how many there are.
  for (int64_t count = 0; max == SchemaNode::kNone || count < max; ++count) {
    const NodeSet item = branches_.item(branch, static_cast<size_t>(count));
    const int32_t next = builder_.add_state();
    add_value(rules_.add_blank(count == 0 ? at : builder_.add_text(at, ",")), item, next);
    at = next;
    if (count + 1 >= min) builder_.add_jump(builder_.add_text(rules_.add_blank(at), "]"), to);
    if (max == SchemaNode::kNone && count + 1 >= min && static_cast<size_t>(count) >= prefix) {
      add_value(rules_.add_blank(builder_.add_text(at, ",")), item, at);
      break;
    }
  }
}

std::shared_ptr<const Grammar> compile_json_schema(std::string_view schema,
                                                   const GrammarLimits& limits) {
  Budget budget(limits);
  return compile_json_schema(schema, budget);
}

std::shared_ptr<const Grammar> compile_json_schema(std::string_view schema, Budget& budget) {
  budget.set_place(kPlace);
  budget.check_text(schema.size());
  JsonSchema parsed(schema, budget);
  return std::make_shared<const Grammar>(JsonCompiler(parsed, budget).compile());
}

std::shared_ptr<const Grammar> compile_json_object() {
  Budget budget{GrammarLimits{}};
  AutomatonBuilder builder(budget);
  const int32_t root = JsonRules(builder).object();
  return std::make_shared<const Grammar>(builder.take(), root, true, "object");
}

}  // namespace minke
