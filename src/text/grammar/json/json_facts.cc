// What the keywords of a branch say together about each type of value.

#include <algorithm>
#include <limits>
#include <map>
#include <utility>

#include "base/core/error.h"
#include "text/grammar/code_points.h"
#include "text/grammar/json/branches.h"
#include "text/grammar/json/string.h"
#include "text/grammar/regex.h"

namespace minke {
namespace {

namespace dom = simdjson::dom;

struct Lengths {
  int64_t min = 0, max = kUncounted;
};

// The narrower of two upper limits.
int64_t least(int64_t a, int64_t b) {
  if (a == kUncounted || b == kUncounted) return std::max(a, b);
  return std::min(a, b);
}

Lengths lengths_of(JsonSchema& schema, const Branch& branch) {
  Lengths out;
  for (const int id : branch.nodes) {
    const SchemaNode& node = schema.node(id);
    out.min = std::max(out.min, node.min_length);
    out.max = least(out.max, node.max_length);
  }
  return out;
}

bool is_counted(const Lengths& lengths) {
  return lengths.min <= kLongestCounted && lengths.max <= kLongestCounted;
}

int64_t characters(std::string_view text) {
  return std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; });
}

bool is_within(const Decimal& number, const NumberRange& range) {
  if (range.min) {
    const int sign = compare(number, *range.min);
    if (sign < 0 || (sign == 0 && range.min_excluded)) return false;
  }
  if (range.max) {
    const int sign = compare(number, *range.max);
    if (sign > 0 || (sign == 0 && range.max_excluded)) return false;
  }
  return true;
}

// The range of both, their divisors aside.
void narrow(NumberRange& range, const NumberRange& other) {
  if (other.min) {
    const int sign = range.min ? compare(*other.min, *range.min) : 1;
    if (sign > 0) range.min_excluded = other.min_excluded;
    if (sign == 0) range.min_excluded |= other.min_excluded;
    if (sign > 0) range.min = other.min;
  }
  if (other.max) {
    const int sign = range.max ? compare(*other.max, *range.max) : -1;
    if (sign < 0) range.max_excluded = other.max_excluded;
    if (sign == 0) range.max_excluded |= other.max_excluded;
    if (sign < 0) range.max = other.max;
  }
}

}  // namespace

std::optional<Dfa> JsonBranches::strings(const Branch& branch) {
  Budget& budget = schema_.budget();
  const Lengths lengths = lengths_of(schema_, branch);
  std::optional<Dfa> out;
  const auto restrict = [&](Dfa more) { out = out ? intersect(*out, more, budget) : more; };
  for (const int id : branch.nodes) {
    for (const SchemaNode::Pattern& pattern : schema_.node(id).patterns) {
      budget.set_place(schema_.place(id) + "." + pattern.keyword);
      restrict(compile_regex(pattern.pattern, Spelling::kJson, budget));
    }
    budget.set_place(schema_.place(id));
  }
  if (lengths.min > kLongestCounted) {
    fail(budget.place() + ".minLength", "expected at most {}, found {}", kLongestCounted,
         lengths.min);
  }
  if (lengths.min > 0 || lengths.max != kUncounted) {
    restrict(strings_of_length(lengths.min, std::min(lengths.max, kLongestCounted), budget));
  }
  return out;
}

bool JsonBranches::no_strings(const Branch& branch) {
  const Lengths lengths = lengths_of(schema_, branch);
  if (lengths.max != kUncounted && lengths.max < lengths.min) return true;
  if (!is_counted(lengths)) return false;
  const std::optional<Dfa> dfa = strings(branch);
  return dfa && dfa->empty();
}

NumberRange JsonBranches::merged_range(const Branch& branch) {
  NumberRange out;
  out.integer = (branch.types & kFraction) == 0;
  for (const int id : branch.nodes) {
    for (const NumberRange& range : schema_.node(id).ranges) narrow(out, range);
  }
  return out;
}

Dfa JsonBranches::numbers(const Branch& branch) {
  Budget& budget = schema_.budget();
  const NumberRange bounds = merged_range(branch);
  std::optional<Dfa> out;
  for (const int id : branch.nodes) {
    for (const NumberRange& range : schema_.node(id).ranges) {
      if (!range.multiple_of) continue;
      budget.set_place(schema_.place(id) + ".multipleOf");
      NumberRange both = bounds;
      both.multiple_of = range.multiple_of;
      Dfa dfa = number_dfa(both, budget);
      out = out ? intersect(*out, dfa, budget) : std::move(dfa);
    }
    budget.set_place(schema_.place(id));
  }
  return out ? *std::move(out) : number_dfa(bounds, budget);
}

// Integers are written in one way each, so that no text means no value. Of other numbers only the
// bounds are compared.
bool JsonBranches::no_numbers(const Branch& branch) {
  const NumberRange range = merged_range(branch);
  if (range.integer) return numbers(branch).empty();
  if (!range.min || !range.max) return false;
  const int sign = compare(*range.min, *range.max);
  return sign > 0 || (sign == 0 && (range.min_excluded || range.max_excluded));
}

bool JsonBranches::no_arrays(const Branch& branch, int depth) {
  int64_t min = 0, max = SchemaNode::kNone;
  for (const int id : branch.nodes) {
    min = std::max(min, schema_.node(id).min_items);
    max = least(max, schema_.node(id).max_items);
  }
  if (max != SchemaNode::kNone && max < min) return true;
  constexpr int64_t kLooked = 16;
  for (int64_t i = 0; i < std::min(min, kLooked); ++i) {
    if (is_empty(item(branch, static_cast<size_t>(i)), {}, depth + 1)) return true;
  }
  return false;
}

bool JsonBranches::no_objects(const Branch& branch, int depth) {
  std::set<std::string_view> required;
  int64_t min = 0, max = SchemaNode::kNone;
  for (const int id : branch.nodes) {
    const SchemaNode& node = schema_.node(id);
    required.insert(node.required.begin(), node.required.end());
    min = std::max(min, node.min_properties);
    max = least(max, node.max_properties);
  }
  min = std::max(min, static_cast<int64_t>(required.size()));
  if (max != SchemaNode::kNone && max < min) return true;
  return std::any_of(required.begin(), required.end(), [&](std::string_view name) {
    return is_empty(member(branch, name), {}, depth + 1);
  });
}

NodeSet JsonBranches::item(const Branch& branch, size_t index) {
  std::vector<int> out;
  for (const int id : branch.nodes) {
    const SchemaNode& node = schema_.node(id);
    if (index < node.prefix_items.size()) {
      out.push_back(node.prefix_items[index]);
    } else if (node.items != SchemaNode::kNone) {
      out.push_back(node.items);
    }
  }
  return set_of(std::move(out));
}

NodeSet JsonBranches::member(const Branch& branch, std::string_view name) {
  std::vector<int> out;
  const std::string text = spelled(name, Spelling::kJson);
  for (const int id : branch.nodes) {
    const SchemaNode& node = schema_.node(id);
    bool named = false;
    for (const auto& [known, schema] : node.properties) {
      if (known != name) continue;
      out.push_back(schema);
      named = true;
    }
    for (const auto& [names, schema] : node.pattern_properties) {
      if (!names.accepts(text)) continue;
      out.push_back(schema);
      named = true;
    }
    if (!named && node.additional != SchemaNode::kNone) out.push_back(node.additional);
    schema_.budget().spend(static_cast<int64_t>(node.properties.size()) + 1);
  }
  return set_of(std::move(out));
}

std::optional<Dfa> JsonBranches::names(const Branch& branch) {
  std::vector<int> schemas;
  for (const int id : branch.nodes) {
    const int names = schema_.node(id).property_names;
    if (names != SchemaNode::kNone) schemas.push_back(names);
  }
  const NodeSet set = set_of(std::move(schemas));
  if (set.empty()) return std::nullopt;
  const std::string place = schema_.place(set.front());
  std::optional<Dfa> out;
  for (const Branch& names : expand(set)) {
    if ((names.types & kString) == 0) continue;
    if (out) fail(place, "expected one schema of names, found alternatives");
    if (const auto listed = values(names, true)) {
      AutomatonBuilder builder(schema_.budget());
      const int32_t start = builder.add_state();
      for (const dom::element value : *listed) {
        if (!value.is_string()) continue;
        const std::string text = spelled(value.get_string().value_unsafe(), Spelling::kJson);
        builder.accept(builder.add_text(start, text));
      }
      out = determinise(builder.automaton(), start, schema_.budget());
    } else {
      out = strings(names);
      if (!out) return std::nullopt;
    }
  }
  return out ? *std::move(out) : Dfa();
}

std::optional<std::vector<dom::element>> JsonBranches::values(const Branch& branch, bool strict) {
  std::optional<std::vector<std::pair<std::string, dom::element>>> kept;
  for (const int id : branch.nodes) {
    for (const auto& list : schema_.node(id).values) {
      schema_.budget().set_place(schema_.place(id) + ".enum");
      std::map<std::string, dom::element> known;
      std::vector<std::pair<std::string, dom::element>> unique;
      for (const dom::element value : list) {
        std::string text = canonical_json(value, schema_.budget());
        if (known.emplace(text, value).second) unique.emplace_back(std::move(text), value);
      }
      if (kept) {
        std::erase_if(*kept, [&](const auto& pair) { return !known.contains(pair.first); });
      } else {
        kept = std::move(unique);
      }
    }
  }
  if (!kept) return std::nullopt;
  std::vector<dom::element> out;
  for (const auto& [text, value] : *kept) {
    if ((type_of(value) & branch.types) != 0 && meets(branch, value, strict)) out.push_back(value);
  }
  return out;
}

// Whether `value`, which has one of the branch's types, meets the keywords beside enum and const.
bool JsonBranches::meets(const Branch& branch, dom::element value, bool strict) {
  const auto unknown = [&](std::string_view what) {
    if (!strict) return true;
    fail(schema_.place(branch.nodes.front()), "expected values listed alone, found {} beside them",
         what);
  };
  const unsigned type = type_of(value);
  for (const int id : branch.nodes) {
    const SchemaNode& node = schema_.node(id);
    if (type == kArray && node.says_of_arrays()) return unknown("keywords of arrays");
    if (type == kObject && node.says_of_objects()) return unknown("keywords of objects");
    if (type != kInteger && type != kFraction) continue;
    for (const NumberRange& range : node.ranges) {
      const Decimal number = Decimal::of(value).value();
      if (!is_within(number, range)) return false;
      if (!range.multiple_of) continue;
      if (number.whole.size() > kWholeDigits || number.fraction.size() > kFractionDigits) {
        return unknown("a divisor of numbers with many digits");
      }
      NumberRange divisor;
      divisor.multiple_of = range.multiple_of;
      if (!number_dfa(divisor, schema_.budget()).accepts(number.text())) return false;
    }
  }
  if (type != kString) return true;
  const std::string_view text = value.get_string().value_unsafe();
  if (characters(text) > kLongestCounted || !is_counted(lengths_of(schema_, branch))) {
    return unknown("lengths of long strings");
  }
  const std::optional<Dfa> dfa = strings(branch);
  return !dfa || dfa->accepts(spelled(text, Spelling::kJson));
}

}  // namespace minke
