#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace minke {

// Tells the thinking that a server with this key wrote from any other, so that nobody can put
// thoughts into the model's mouth. SipHash-2-4 with a result of 128 bits (Aumasson, Bernstein:
// SipHash: a fast short-input PRF, 2012), in 32 hexadecimal digits.
class ThinkingSignature {
 public:
  using Key = std::array<uint8_t, 16>;
  explicit ThinkingSignature(const Key& key);

  std::string sign(std::string_view thinking) const;
  // Takes as long for every signature of the right length.
  bool fits(std::string_view thinking, std::string_view signature) const;

 private:
  uint64_t low_, high_;  // halves of the key
};

}  // namespace minke
