#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "text/grammar/automaton.h"

namespace minke {

// Rules that JSON grammars share, made when first asked for.
//
// White space is written where people and json.dumps() write it: after { [ and , and before } and
// ], where there may be one space, or one line break with up to 32 spaces or 8 tabs; after a colon
// there may be one space. Empty objects and arrays hold none.
class JsonRules {
 public:
  explicit JsonRules(AutomatonBuilder& builder) : builder_(builder) {}

  // Any value, in which arrays and objects are nested at most kFreeDepth deep.
  static constexpr int kFreeDepth = 16;
  int32_t value() { return value(kFreeDepth); }
  int32_t array() { return array(kFreeDepth); }
  int32_t object() { return object(kFreeDepth); }
  int32_t string();
  int32_t number(bool integer);

  // Adds what stands between two states, and returns the second.
  int32_t add_blank(int32_t from);
  int32_t add_colon(int32_t from);

 private:
  int32_t value(int depth);
  int32_t array(int depth);
  int32_t object(int depth);

  AutomatonBuilder& builder_;
  std::map<std::string, int32_t> rules_;
};

}  // namespace minke
