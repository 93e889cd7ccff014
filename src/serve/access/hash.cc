#include "serve/access/hash.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <span>
#include <vector>

#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <sys/random.h>

#include "base/core/error.h"

namespace minke {
namespace {

std::string to_hex(std::span<const unsigned char> bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  out.reserve(2 * bytes.size());
  for (const unsigned char byte : bytes) {
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

}  // namespace

std::string sha256_hex(std::string_view bytes) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest;
  ::SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest.data());
  return to_hex(digest);
}

bool is_sha256_hex(std::string_view text) {
  return text.size() == kSha256Digits &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && ::CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string random_hex(size_t bytes) {
  std::vector<unsigned char> random(bytes);
  for (size_t filled = 0; filled < bytes;) {
    const ssize_t got = ::getrandom(random.data() + filled, bytes - filled, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail("random numbers", "the system has none: {}", std::strerror(errno));
    filled += static_cast<size_t>(got);
  }
  return to_hex(random);
}

}  // namespace minke
