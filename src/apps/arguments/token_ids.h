#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace minke {

// Token ids written in decimal, with white space and commas between them. Throws Error, begun by
// `where`, for anything that is not a number from 0 to 2^31 - 1.
std::vector<int32_t> parse_token_ids(std::string_view text, const std::string& where);

}  // namespace minke
