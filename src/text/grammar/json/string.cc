#include "text/grammar/json/string.h"

#include <algorithm>
#include <utility>

#include "base/core/check.h"
#include "text/grammar/code_points.h"

namespace minke {
namespace {

Dfa one_character(Budget& budget) {
  AutomatonBuilder builder(budget);
  const int32_t from = builder.add_state(), to = builder.add_state();
  builder.accept(to);
  add_characters(builder, from, to, CodePointSet::any(), Spelling::kJson);
  return determinise(builder.automaton(), from, budget);
}

// RFC 3339, with the days that a month has, and without leap seconds.
constexpr std::string_view kDate =
    "^(\\d{4}-((0[13578]|1[02])-(0[1-9]|[12]\\d|3[01])|(0[469]|11)-(0[1-9]|[12]\\d|30)|"
    "02-(0[1-9]|1\\d|2[0-8]))|"
    "(\\d{2}(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)-02-29)$";
constexpr std::string_view kTime =
    "^([01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(\\.\\d{1,9})?(Z|[+\\-]([01]\\d|2[0-3]):[0-5]\\d)$";
constexpr std::string_view kDateTime =
    "^(\\d{4}-((0[13578]|1[02])-(0[1-9]|[12]\\d|3[01])|(0[469]|11)-(0[1-9]|[12]\\d|30)|"
    "02-(0[1-9]|1\\d|2[0-8]))|"
    "(\\d{2}(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)-02-29)"
    "T([01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(\\.\\d{1,9})?(Z|[+\\-]([01]\\d|2[0-3]):[0-5]\\d)$";
// Dot-separated words before the @, a host name of two labels or more behind it. The counts keep
// within RFC 5321's 64 and 255 bytes.
constexpr std::string_view kEmail =
    "^[A-Za-z0-9_+\\-]{1,20}(\\.[A-Za-z0-9_+\\-]{1,20}){0,2}@"
    "([A-Za-z0-9]{1,15}(-[A-Za-z0-9]{1,15}){0,2}\\.){1,3}[A-Za-z]{2,15}$";
constexpr std::string_view kHostname =
    "^[A-Za-z0-9]{1,15}(-[A-Za-z0-9]{1,15}){0,2}"
    "(\\.[A-Za-z0-9]{1,15}(-[A-Za-z0-9]{1,15}){0,2}){0,4}$";
constexpr std::string_view kUuid =
    "^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}$";
constexpr std::string_view kIpv4 =
    "^((25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)\\.){3}(25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)$";
constexpr std::string_view kIpv6 =
    "^(([0-9A-Fa-f]{1,4}:){7}[0-9A-Fa-f]{1,4}|"
    "([0-9A-Fa-f]{1,4}:){1,6}:[0-9A-Fa-f]{1,4}|"
    "([0-9A-Fa-f]{1,4}:){1,5}(:[0-9A-Fa-f]{1,4}){2}|"
    "([0-9A-Fa-f]{1,4}:){1,4}(:[0-9A-Fa-f]{1,4}){3}|"
    "([0-9A-Fa-f]{1,4}:){1,3}(:[0-9A-Fa-f]{1,4}){4}|"
    "([0-9A-Fa-f]{1,4}:){1,2}(:[0-9A-Fa-f]{1,4}){5}|"
    "[0-9A-Fa-f]{1,4}:(:[0-9A-Fa-f]{1,4}){6}|"
    ":(:[0-9A-Fa-f]{1,4}){1,7}|([0-9A-Fa-f]{1,4}:){1,7}:|::)$";
// RFC 3986: a scheme, a host name, and what may follow it; no user, no address in brackets.
constexpr std::string_view kUri =
    "^[A-Za-z][A-Za-z0-9+.\\-]*://[A-Za-z0-9]{1,15}([.\\-][A-Za-z0-9]{1,15})*(:\\d{1,5})?"
    "(/([A-Za-z0-9._~!$&'()*+,;=:@\\-]|%[0-9A-Fa-f]{2})*)*"
    "(\\?([A-Za-z0-9._~!$&'()*+,;=:@/?\\-]|%[0-9A-Fa-f]{2})*)?"
    "(#([A-Za-z0-9._~!$&'()*+,;=:@/?\\-]|%[0-9A-Fa-f]{2})*)?$";

}  // namespace

Dfa strings_of_length(int64_t min, int64_t max, Budget& budget) {
  const Dfa one = one_character(budget);
  // All characters end in one state, the last: it has no edges and stands for the next beginning.
  const auto inner = static_cast<int32_t>(one.states.size()) - 1;
  const auto last = std::find_if(one.states.begin(), one.states.end(),
                                 [](const Dfa::State& s) { return s.accept; });
  CHECK(last != one.states.end() && last->edges.empty());
  const auto end = static_cast<int32_t>(last - one.states.begin());
  // The state numbered `state` of one_character() when `count` characters have been read.
  const bool loops = max == kUncounted;
  const int64_t characters = loops ? min : max;
  const auto name = [&](int32_t state, int64_t count) {
    if (state == end) return static_cast<int32_t>(inner * std::min(count + 1, characters));
    return static_cast<int32_t>(inner * count) + (state < end ? state : state - 1);
  };
  Dfa out;
  for (int64_t count = 0; count < characters + (loops ? 1 : 0); ++count) {
    budget.check_states(out.states.size() + one.states.size());
    for (int32_t state = 0; state <= inner; ++state) {
      if (state == end) continue;
      Dfa::State copy = one.states[static_cast<size_t>(state)];
      for (ByteEdge& edge : copy.edges) edge.target = name(edge.target, count);
      copy.accept = state == 0 && count >= min;
      budget.spend(static_cast<int64_t>(copy.edges.size()));
      out.states.push_back(std::move(copy));
    }
  }
  if (!loops && max >= min) out.states.push_back({{}, true});
  return max != kUncounted && max < min ? Dfa() : out;
}

std::optional<std::string_view> format_pattern(std::string_view name) {
  constexpr std::pair<std::string_view, std::string_view> kFormats[] = {
      {"date", kDate},   {"time", kTime},         {"date-time", kDateTime},
      {"email", kEmail}, {"hostname", kHostname}, {"uuid", kUuid},
      {"ipv4", kIpv4},   {"ipv6", kIpv6},         {"uri", kUri}};
  for (const auto& [format, pattern] : kFormats) {
    if (format == name) return pattern;
  }
  return std::nullopt;
}

}  // namespace minke
