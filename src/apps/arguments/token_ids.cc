#include "apps/arguments/token_ids.h"

#include <charconv>

#include "base/core/error.h"

namespace minke {

std::vector<int32_t> parse_token_ids(std::string_view text, const std::string& where) {
  constexpr std::string_view kBetween = " \t\r\n,";
  std::vector<int32_t> ids;
  for (;;) {
    const size_t start = text.find_first_not_of(kBetween);
    if (start == std::string_view::npos) return ids;
    text.remove_prefix(start);
    const std::string_view word = text.substr(0, text.find_first_of(kBetween));
    int32_t id = 0;
    const auto [stop, error] = std::from_chars(word.data(), word.data() + word.size(), id);
    if (error != std::errc() || stop != word.data() + word.size() || id < 0) {
      fail(where, "expected a token id, found \"{}\"", printable(word));
    }
    ids.push_back(id);
    text.remove_prefix(word.size());
  }
}

}  // namespace minke
