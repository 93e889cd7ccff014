#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "text/grammar/dfa.h"
#include "text/grammar/json/schema.h"

namespace minke {

// Schemas that must all hold, sorted; those that always hold are left out.
using NodeSet = std::vector<int>;

// One way to meet a NodeSet: the keywords of all of `nodes`, anyOf, oneOf, allOf and $ref aside,
// which are followed already.
struct Branch {
  NodeSet nodes;
  unsigned types = kAllTypes;
};

// What schemas mean together.
class JsonBranches {
 public:
  explicit JsonBranches(JsonSchema& schema) : schema_(schema) {}

  NodeSet set_of(std::vector<int> nodes);

  // A value meets `set` if it meets one of these. Throws Error if a schema refers to itself without
  // going into a value, and if two alternatives of a oneOf cannot be shown to exclude one another.
  std::vector<Branch> expand(const NodeSet& set) { return expand(set, true); }

  // True only if no value meets `set`. Not everything that is empty is found.
  bool is_empty(const NodeSet& set) { return is_empty(set, {}, 0); }

  // Insides of JSON strings; nullopt: all.
  std::optional<Dfa> strings(const Branch& branch);
  Dfa numbers(const Branch& branch);
  // The values of enum and const that meet the rest of the branch; nullopt if there is neither.
  // Throws Error if that cannot be told.
  std::optional<std::vector<simdjson::dom::element>> values(const Branch& branch) {
    return values(branch, true);
  }

  // What the item at `index`, and the member `name`, must meet.
  NodeSet item(const Branch& branch, size_t index);
  NodeSet member(const Branch& branch, std::string_view name);
  // The names that propertyNames allows, as the insides of strings; nullopt: all.
  std::optional<Dfa> names(const Branch& branch);

 private:
  struct Partial;

  std::vector<Branch> expand(const NodeSet& set, bool check);
  void add(Partial& partial, int node);
  void check_choice(const Partial& partial, int node, const SchemaNode::Choice& choice);
  void check_cycles(int node);
  // `context`: nodes whose own keywords hold, too, whatever alternatives they have.
  bool is_empty(const NodeSet& set, const NodeSet& context, int depth);
  bool is_empty(const Branch& branch, int depth);
  // Unless `strict`, values of which it cannot be told are kept.
  std::optional<std::vector<simdjson::dom::element>> values(const Branch& branch, bool strict);
  bool meets(const Branch& branch, simdjson::dom::element value, bool strict);
  bool no_strings(const Branch& branch);
  bool no_numbers(const Branch& branch);
  bool no_arrays(const Branch& branch, int depth);
  bool no_objects(const Branch& branch, int depth);
  NumberRange merged_range(const Branch& branch);

  JsonSchema& schema_;
  std::vector<uint8_t> cycle_marks_;        // by node
  std::set<std::pair<int, int>> disjoint_;  // nodes that are known to exclude one another
};

}  // namespace minke
