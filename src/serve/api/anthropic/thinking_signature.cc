#include "serve/api/anthropic/thinking_signature.h"

#include <bit>
#include <span>

namespace minke {
namespace {

uint64_t little_endian(std::span<const uint8_t> bytes) {
  uint64_t value = 0;
  for (size_t i = 0; i < bytes.size(); ++i) value |= uint64_t{bytes[i]} << (8 * i);
  return value;
}

struct SipState {
  uint64_t a, b, c, d;

  void rounds(int count) {
    for (; count > 0; --count) {
      a += b;
      c += d;
      b = std::rotl(b, 13) ^ a;
      d = std::rotl(d, 16) ^ c;
      a = std::rotl(a, 32);
      c += b;
      a += d;
      b = std::rotl(b, 17) ^ c;
      d = std::rotl(d, 21) ^ a;
      c = std::rotl(c, 32);
    }
  }
  void absorb(uint64_t word) {
    d ^= word;
    rounds(2);
    a ^= word;
  }
  uint64_t squeeze() {
    rounds(4);
    return a ^ b ^ c ^ d;
  }
};

void append_hex(std::string& out, uint64_t value) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (int byte = 0; byte < 8; ++byte, value >>= 8) {
    out += kDigits[value >> 4 & 15];
    out += kDigits[value & 15];
  }
}

}  // namespace

ThinkingSignature::ThinkingSignature(const Key& key)
    : low_(little_endian(std::span(key).first(8))), high_(little_endian(std::span(key).last(8))) {}

std::string ThinkingSignature::sign(std::string_view thinking) const {
  // The constants are those of the paper; 0xee and 0xdd set the long result apart.
  SipState state{low_ ^ 0x736f6d6570736575, high_ ^ 0x646f72616e646f6d ^ 0xee,
                 low_ ^ 0x6c7967656e657261, high_ ^ 0x7465646279746573};
  const std::span bytes(reinterpret_cast<const uint8_t*>(thinking.data()), thinking.size());
  size_t at = 0;
  for (; bytes.size() - at >= 8; at += 8) state.absorb(little_endian(bytes.subspan(at, 8)));
  state.absorb(little_endian(bytes.subspan(at)) | uint64_t{bytes.size()} << 56);
  std::string digits;
  state.c ^= 0xee;
  append_hex(digits, state.squeeze());
  state.b ^= 0xdd;
  append_hex(digits, state.squeeze());
  return digits;
}

bool ThinkingSignature::fits(std::string_view thinking, std::string_view signature) const {
  const std::string expected = sign(thinking);
  if (signature.size() != expected.size()) return false;
  unsigned difference = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    difference |= static_cast<unsigned char>(expected[i] ^ signature[i]);
  }
  return difference == 0;
}

}  // namespace minke
