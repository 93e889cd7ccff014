#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace minke {

// Number of bytes (1..4) of the valid UTF-8 sequence that `text` starts with, or 0 if it starts
// with none. Overlong forms, surrogates and values over U+10FFFF are not valid (RFC 3629).
size_t utf8_sequence_length(std::string_view text);

// Number of leading bytes of `text` that can be shown now: whole sequences and bytes that can never
// start or continue one. What is left (at most 3 bytes) is the start of a sequence that more bytes
// may complete.
size_t utf8_complete_prefix(std::string_view text);

bool utf8_valid(std::string_view text);

// Throws Error, begun by `where`, that names the first byte that is not UTF-8 and its offset.
void require_utf8(std::string_view text, std::string_view where);

// `text` with each invalid byte run replaced by U+FFFD, one for each maximal invalid prefix (as
// WHATWG and Rust do).
std::string utf8_sanitized(std::string_view text);

// Decodes the sequence that `text` starts with; `text` must start with a valid one.
char32_t utf8_decode(std::string_view text);

void utf8_append(std::string& out, char32_t code_point);

}  // namespace minke
