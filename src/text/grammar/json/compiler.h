#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "text/grammar/grammar.h"
#include "text/grammar/json/branches.h"
#include "text/grammar/json/rules.h"

namespace minke {

// Turns a schema into rules: one for each set of schemas that values must meet together.
class JsonCompiler {
 public:
  JsonCompiler(JsonSchema& schema, Budget& budget)
      : schema_(schema), budget_(budget), branches_(schema), builder_(budget), rules_(builder_) {}

  Grammar compile();

 private:
  // A member with a name that the schema knows.
  struct Member {
    std::string name;
    bool required = false;
    int32_t rule = 0;  // of `"name": value`
  };

  int32_t rule_of(const NodeSet& set);
  void add_value(int32_t from, const NodeSet& set, int32_t to) {
    builder_.add_call(from, rule_of(set), to);
  }
  void add_branch(int32_t from, const Branch& branch, int32_t to);
  void add_listed(int32_t from, simdjson::dom::element value, int32_t to, int depth);
  void add_string(int32_t from, const Branch& branch, int32_t to);
  void add_number(int32_t from, const Branch& branch, int32_t to);
  void add_array(int32_t from, const Branch& branch, int32_t to);
  void add_object(int32_t from, const Branch& branch, int32_t to);

  std::vector<Member> named_members(const Branch& branch);
  // Rules for the members with other names; their values differ by the patterns that the name
  // matches.
  std::vector<int32_t> free_members(const Branch& branch, const std::vector<Member>& named);
  void add_members(int32_t from, const Branch& branch, const std::vector<Member>& named,
                   const std::vector<int32_t>& free, int32_t to);
  std::string place_of(const Branch& branch);

  JsonSchema& schema_;
  Budget& budget_;
  JsonBranches branches_;
  AutomatonBuilder builder_;
  JsonRules rules_;
  std::map<NodeSet, int32_t> by_set_;
  std::deque<std::pair<NodeSet, int32_t>> pending_;
  bool unique_names_ = false;
};

}  // namespace minke
