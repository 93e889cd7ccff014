#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/core/json.h"
#include "text/grammar/budget.h"
#include "text/grammar/dfa.h"
#include "text/grammar/json/number.h"

namespace minke {

// Kinds of JSON values, as bits. Every number is one of the two kinds.
enum JsonTypes : unsigned {
  kNull = 1,
  kBoolean = 2,
  kInteger = 4,
  kFraction = 8,
  kString = 16,
  kArray = 32,
  kObject = 64,
  kNoType = 0,
  kAllTypes = 127,
};

unsigned type_of(simdjson::dom::element value);

// `value` written in the one way that equal values have in common. Throws Error, begun by the
// budget's place, for numbers that are not known exactly, for names used twice and for what is
// nested too deeply.
std::string canonical_json(simdjson::dom::element value, Budget& budget, int depth = 0);

// One schema: what its keywords say, with subschemas by the number of their node.
struct SchemaNode {
  static constexpr int kNone = -1;

  // Alternatives of anyOf, or of oneOf, of which exactly one must hold.
  struct Choice {
    std::vector<int> nodes;
    bool exactly_one = false;
  };
  struct Pattern {
    std::string keyword, pattern;
  };

  simdjson::dom::element element;
  std::string pointer;  // JSON pointer from the root
  bool parsed = false;

  unsigned types = kAllTypes;
  std::vector<std::vector<simdjson::dom::element>> values;  // enum and const: one of each list
  std::vector<int> all_of;                                  // allOf and $ref
  std::vector<Choice> choices;

  std::vector<NumberRange> ranges;  // all of them hold

  int64_t min_length = 0, max_length = kNone;
  std::vector<Pattern> patterns;  // pattern and format

  std::vector<int> prefix_items;
  int items = kNone;
  int64_t min_items = 0, max_items = kNone;

  std::vector<std::pair<std::string, int>> properties;
  std::vector<std::pair<Dfa, int>> pattern_properties;
  int additional = kNone, property_names = kNone;
  std::vector<std::string> required;
  int64_t min_properties = 0, max_properties = kNone;

  // Whether it says anything about objects or arrays.
  bool says_of_objects() const;
  bool says_of_arrays() const;
  // Whether every value is valid.
  bool is_true() const;
};

// A schema and its subschemas. Nodes are parsed when they are first asked for.
class JsonSchema {
 public:
  // Throws Error unless `text` is a JSON object or boolean.
  JsonSchema(std::string_view text, Budget& budget);

  static constexpr int kRoot = 0;
  // Throws Error that names the keyword for all that is not supported.
  const SchemaNode& node(int id);
  // "schema.properties.a", for errors.
  std::string place(int id) const;
  Budget& budget() { return budget_; }

 private:
  using Field = simdjson::dom::key_value_pair;

  void parse(int id);
  bool parse_annotation(SchemaNode& node, std::string_view key, simdjson::dom::element value);
  bool parse_general(SchemaNode& node, std::string_view key, simdjson::dom::element value);
  bool parse_number(SchemaNode& node, std::string_view key, simdjson::dom::element value);
  bool parse_string(SchemaNode& node, std::string_view key, simdjson::dom::element value);
  bool parse_array(SchemaNode& node, std::string_view key, simdjson::dom::element value);
  bool parse_object(SchemaNode& node, std::string_view key, simdjson::dom::element value);
  void parse_not(SchemaNode& node, simdjson::dom::element value);

  int add(std::string pointer, simdjson::dom::element element);
  int child(const SchemaNode& node, std::string_view key, simdjson::dom::element value);
  std::vector<int> children(const SchemaNode& node, std::string_view key,
                            simdjson::dom::element value);
  int resolve(simdjson::dom::element reference);

  Budget& budget_;
  JsonDocument document_;
  std::deque<SchemaNode> nodes_;
  std::map<std::string, int, std::less<>> by_pointer_;
};

}  // namespace minke
