#include "text/grammar/json/rules.h"

#include <fmt/format.h>

#include "text/grammar/json/number.h"
#include "text/grammar/json/string.h"

namespace minke {
namespace {

constexpr int kMostSpaces = 32, kMostTabs = 8;

// `c` up to `most` times.
void add_run(AutomatonBuilder& builder, int32_t from, char c, int most, int32_t to) {
  builder.add_jump(from, to);
  for (int i = 0; i < most; ++i) {
    from = builder.add_text(from, std::string_view(&c, 1));
    builder.add_jump(from, to);
  }
}

}  // namespace

int32_t JsonRules::add_blank(int32_t from) {
  const auto [it, added] = rules_.try_emplace("white space");
  if (added) {
    const int32_t rule = it->second = builder_.add_rule("white space");
    const int32_t start = builder_.start(rule), end = builder_.add_state();
    builder_.accept(end);
    builder_.add_jump(start, end);
    builder_.add_jump(builder_.add_text(start, " "), end);
    const int32_t line = builder_.add_text(start, "\n");
    add_run(builder_, line, ' ', kMostSpaces, end);
    add_run(builder_, line, '\t', kMostTabs, end);
  }
  const int32_t to = builder_.add_state();
  builder_.add_call(from, it->second, to);
  return to;
}

int32_t JsonRules::add_colon(int32_t from) {
  const int32_t colon = builder_.add_text(from, ":");
  const int32_t to = builder_.add_text(colon, " ");
  builder_.add_jump(colon, to);
  return to;
}

int32_t JsonRules::string() {
  const auto [it, added] = rules_.try_emplace("string");
  if (added) {
    const Dfa any = strings_of_length(0, kUncounted, builder_.budget());
    it->second = builder_.add_rule("string", "\"", any, "\"");
  }
  return it->second;
}

int32_t JsonRules::number(bool integer) {
  const std::string name = integer ? "integer" : "number";
  const auto [it, added] = rules_.try_emplace(name);
  if (added) {
    NumberRange range;
    range.integer = integer;
    it->second = builder_.add_rule(name, "", number_dfa(range, builder_.budget()), "");
  }
  return it->second;
}

int32_t JsonRules::value(int depth) {
  const auto [it, added] = rules_.try_emplace(fmt::format("value of depth {}", depth));
  if (!added) return it->second;
  const int32_t rule = it->second = builder_.add_rule(it->first);
  const int32_t start = builder_.start(rule), end = builder_.add_state();
  builder_.accept(end);
  for (const std::string_view text : {"null", "true", "false"}) {
    builder_.add_jump(builder_.add_text(start, text), end);
  }
  builder_.add_call(start, string(), end);
  builder_.add_call(start, number(false), end);
  if (depth > 0) {
    builder_.add_call(start, array(depth), end);
    builder_.add_call(start, object(depth), end);
  }
  return rule;
}

int32_t JsonRules::array(int depth) {
  const auto [it, added] = rules_.try_emplace(fmt::format("array of depth {}", depth));
  if (!added) return it->second;
  const int32_t rule = it->second = builder_.add_rule(it->first);
  const int32_t open = builder_.add_text(builder_.start(rule), "[");
  builder_.accept(builder_.add_text(open, "]"));
  const int32_t behind = builder_.add_state();
  builder_.add_call(add_blank(open), value(depth - 1), behind);
  builder_.add_call(add_blank(builder_.add_text(behind, ",")), value(depth - 1), behind);
  builder_.accept(builder_.add_text(add_blank(behind), "]"));
  return rule;
}

int32_t JsonRules::object(int depth) {
  const auto [it, added] = rules_.try_emplace(fmt::format("object of depth {}", depth));
  if (!added) return it->second;
  const int32_t rule = it->second = builder_.add_rule(it->first);
  const int32_t open = builder_.add_text(builder_.start(rule), "{");
  builder_.accept(builder_.add_text(open, "}"));
  const int32_t name = builder_.add_state(), behind = builder_.add_state();
  builder_.add_jump(add_blank(open), name);
  const int32_t named = builder_.add_state();
  builder_.add_call(name, string(), named);
  builder_.add_call(add_colon(named), value(depth - 1), behind);
  builder_.add_jump(add_blank(builder_.add_text(behind, ",")), name);
  builder_.accept(builder_.add_text(add_blank(behind), "}"));
  return rule;
}

}  // namespace minke
