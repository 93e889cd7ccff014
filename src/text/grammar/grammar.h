#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "text/grammar/automaton.h"
#include "text/grammar/budget.h"

namespace minke {

// A set of texts, compiled: what a constraint keeps a reply within. Immutable and safe to share
// between threads. docs/structured-output.md says which texts each kind of grammar describes.
class Grammar {
 public:
  // The texts of `root`. Throws Error, begun by `place`, if there are none, and if a rule can call
  // itself before a byte of text, which it names.
  Grammar(Automaton automaton, int32_t root, bool unique_names, const std::string& place);

  const Automaton& automaton() const { return automaton_; }
  int32_t root() const { return root_; }
  // Whether the text is JSON in which names of members that the grammar leaves free must not be
  // used twice in an object.
  bool unique_names() const { return unique_names_; }
  // By rule: whether the empty text is one of its texts.
  bool is_nullable(int32_t rule) const { return nullable_[static_cast<size_t>(rule)]; }
  // Whether nothing but the end of its rule follows a state.
  bool is_final(int32_t state) const { return final_[static_cast<size_t>(state)]; }
  // Numbers the rules so that each has a lower rank than those that it calls before any byte.
  int32_t rank(int32_t rule) const { return ranks_[static_cast<size_t>(rule)]; }
  int32_t rule_of_rank(int32_t rank) const { return by_rank_[static_cast<size_t>(rank)]; }

 private:
  void rank_rules(const std::vector<bool>& empty, const std::string& place);

  Automaton automaton_;
  int32_t root_;
  bool unique_names_;
  std::vector<bool> nullable_, final_;
  std::vector<int32_t> ranks_, by_rank_;
};

// JSON texts that are valid under `schema`, a JSON Schema of draft 2020-12. Throws Error, begun by
// the place in the schema ("schema.properties.a.pattern"), for a schema that cannot be kept to
// exactly.
std::shared_ptr<const Grammar> compile_json_schema(std::string_view schema, Budget& budget);
std::shared_ptr<const Grammar> compile_json_schema(std::string_view schema,
                                                   const GrammarLimits& limits = {});

// Any JSON object.
std::shared_ptr<const Grammar> compile_json_object();

// The texts of rule `root` of an EBNF grammar. Throws Error, begun by "grammar".
std::shared_ptr<const Grammar> compile_ebnf(std::string_view text, Budget& budget);
std::shared_ptr<const Grammar> compile_ebnf(std::string_view text,
                                            const GrammarLimits& limits = {});

}  // namespace minke
