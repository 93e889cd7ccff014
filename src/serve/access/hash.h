#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace minke {

constexpr size_t kSha256Digits = 64;

// SHA-256 (FIPS 180-4) of `bytes` as 64 lower-case hexadecimal digits.
std::string sha256_hex(std::string_view bytes);

// Whether `text` is 64 lower-case hexadecimal digits.
bool is_sha256_hex(std::string_view text);

// Whether two texts are the same. For texts of one length, the time taken does not depend on where
// they differ.
bool equal_in_constant_time(std::string_view a, std::string_view b);

// `bytes` bytes from the system's source of randomness, as 2 * `bytes` hexadecimal digits. Throws
// Error if there is no such source.
std::string random_hex(size_t bytes);

}  // namespace minke
