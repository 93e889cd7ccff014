#include <algorithm>
#include <utility>

#include "base/core/error.h"
#include "text/grammar/code_points.h"
#include "text/grammar/json/schema.h"

namespace minke {
namespace {

namespace dom = simdjson::dom;

// With its members in order of their names.
std::string canonical_object(dom::object object, Budget& budget, int depth) {
  std::vector<std::pair<std::string, std::string>> members;
  for (const auto [name, value] : object) {
    members.emplace_back(spelled(name, Spelling::kJson), canonical_json(value, budget, depth + 1));
  }
  std::sort(members.begin(), members.end());
  std::string out = "{";
  for (size_t i = 0; i < members.size(); ++i) {
    if (i > 0 && members[i].first == members[i - 1].first) {
      fail(budget.place(), "expected each name once, found \"{}\" twice",
           printable(members[i].first));
    }
    out += fmt::format("{}\"{}\":{}", i == 0 ? "" : ",", members[i].first, members[i].second);
  }
  return out + "}";
}

}  // namespace

unsigned type_of(dom::element value) {
  switch (value.type()) {
    case dom::element_type::NULL_VALUE:
      return kNull;
    case dom::element_type::BOOL:
      return kBoolean;
    case dom::element_type::STRING:
      return kString;
    case dom::element_type::ARRAY:
      return kArray;
    case dom::element_type::OBJECT:
      return kObject;
    default: {
      const std::optional<Decimal> number = Decimal::of(value);
      return !number || number->is_integer() ? kInteger : kFraction;
    }
  }
}

std::string canonical_json(dom::element value, Budget& budget, int depth) {
  budget.check_depth(depth);
  budget.spend(1);
  if (value.is_object()) {
    const dom::object members = value.get_object().value_unsafe();
    return canonical_object(members, budget, depth);
  }
  if (value.is_array()) {
    std::string out = "[";
    const dom::array items = value.get_array().value_unsafe();
    for (const dom::element item : items) {
      if (out.size() > 1) out += ',';
      out += canonical_json(item, budget, depth + 1);
    }
    return out + "]";
  }
  if (value.is_string())
    return "\"" + spelled(value.get_string().value_unsafe(), Spelling::kJson) + "\"";
  if (value.is_bool()) return value.get_bool().value_unsafe() ? "true" : "false";
  if (value.is_null()) return "null";
  const std::optional<Decimal> number = Decimal::of(value);
  if (!number) {
    fail(budget.place(), "expected numbers that 64 bits hold exactly, found {}",
         describe_json(value));
  }
  return number->text();
}

}  // namespace minke
